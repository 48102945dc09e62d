using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Increments;

/// <content>Columns of numbers of names that the sender declared before: nothing is looked up, as long as nothing was defined or deleted since.</content>
public sealed partial class IncrementBatch
{
    private NumberedNames? _ownNames;

    /// <summary>Numbers for a batch of which no other batch knows, empty; valid until the batch is disposed.</summary>
    public NumberedNames OwnNames
    {
        get
        {
            _ownNames ??= new NumberedNames();
            _ownNames.Clear();
            return _ownNames;
        }
    }

    /// <summary>Declares a counter's name and gives it the next number, also when it is refused.</summary>
    /// <param name="nameUtf8">1 to 256 bytes of valid UTF-8 without control characters.</param>
    /// <param name="names">The sender's numbers; fewer than <see cref="NumberedNames.Most"/>.</param>
    /// <returns>Null when declared, else the refusal, of the field name.</returns>
    public Rejection? Declare(ReadOnlySpan<byte> nameUtf8, NumberedNames names)
    {
        ArgumentNullException.ThrowIfNull(names);
        Rejection? refused = Declare(nameUtf8);
        names.Add(refused is null ? CounterId.Of(Owner.IdPrefix, nameUtf8) : 0);
        return refused;
    }

    /// <summary>Adds a column of increments; at the first wrong one it stops, and the batch must be dropped.</summary>
    /// <param name="names">The sender's numbers, always with batches of the same namespace.</param>
    /// <param name="numbers">Numbers of names: all below <see cref="NumberedNames.Count"/>.</param>
    /// <param name="deltas">One for each number; at most <see cref="EngineLimits.MaxDelta"/> either way; not negative for approximate counters.</param>
    /// <param name="at">Which row was refused.</param>
    /// <returns>Null when all were added, else the refusal, of the field id, delta or increments.</returns>
    public Rejection? Add(NumberedNames names, ReadOnlySpan<int> numbers, ReadOnlySpan<long> deltas, out int at)
    {
        at = 0;
        ArgumentNullException.ThrowIfNull(names);
        ArgumentOutOfRangeException.ThrowIfNotEqual(deltas.Length, numbers.Length);
        if (MakeRoom(numbers.Length) is { } tooMany)
        {
            return tooMany;
        }

        names.Judge(DefinitionsAt);

        // Rows whose counter has to be looked at: nearly none, once every counter came.
        Span<int> rest = stackalloc int[IdLines.Together];
        for (int from = 0; from < numbers.Length; from += IdLines.Together)
        {
            int count = Math.Min(IdLines.Together, numbers.Length - from);
            int left = AddKnown(names, numbers[from..], deltas.Slice(from, count), rest);
            if (left > 0 && AddOthers(names, numbers[from..], deltas[from..], rest[..left], out int wrong) is { } refused)
            {
                at = from + wrong;
                return refused;
            }
        }

        return null;
    }

    // The batch is judged by the definitions of its beginning: should one have come meanwhile, the fold looks again.
    // There are more numbers than deltas where others follow: what is known of them is asked for meanwhile.
    private int AddKnown(NumberedNames names, ReadOnlySpan<int> numbers, ReadOnlySpan<long> deltas, Span<int> rest)
    {
        const int Ahead = 64;
        ref int first = ref MemoryMarshal.GetReference(numbers);
        ref long firstDelta = ref MemoryMarshal.GetReference(deltas);
        ref ulong ids = ref MemoryMarshal.GetReference(names.Ids);
        ref ulong usual = ref MemoryMarshal.GetReference(names.Usual);
        int known = names.Count;
        ref ulong sketchIds = ref MemoryMarshal.GetReference(_sketchIds.AsSpan(_sketch, deltas.Length));
        ref uint sketchDeltas = ref MemoryMarshal.GetReference(_sketchDeltas.AsSpan(_sketch, deltas.Length));
        int asked = Math.Min(deltas.Length, numbers.Length - Ahead);
        int rows = 0;
        int added = 0;
        int left = 0;
        int last = -1; // the number of the last row
        long sum = 0;
        ulong joinedIds = 0;
        long weight = 0;
        uint bits = 0;
        for (int i = 0; i < deltas.Length; i++)
        {
            if (i < asked)
            {
                NumberedNames.Ask(ref ids, Unsafe.Add(ref first, i + Ahead));
            }

            int number = Unsafe.Add(ref first, i);
            long delta = Unsafe.Add(ref firstDelta, i);
            if ((uint)number < (uint)known && NumberedNames.IsSet(ref usual, number) && (ulong)delta < MaxSketchDelta)
            {
                // Columns of numbers are sorted: a counter's increments are neighbours, and one row for the log and all that is behind it. Whether two are is nothing to guess.
                long joined = sum + delta;
                bool isNext = number == last && joined < MaxSketchDelta;
                sum = isNext ? joined : delta;
                rows += isNext ? 0 : 1;
                last = number;
                ulong id = Unsafe.Add(ref ids, number);
                joinedIds += isNext ? id : 0;
                Unsafe.Add(ref sketchIds, rows - 1) = id;
                Unsafe.Add(ref sketchDeltas, rows - 1) = (uint)sum;
                bits |= (uint)sum;
                weight += delta;
                added++;
            }
            else
            {
                rest[left++] = i;
            }
        }

        _sketch += rows;
        _joined += added - rows;
        _joinedIds += joinedIds;
        Weight += weight;
        _deltaBits |= bits;
        return left;
    }

    private Rejection? AddOthers(NumberedNames names, ReadOnlySpan<int> numbers, ReadOnlySpan<long> deltas, ReadOnlySpan<int> rows, out int at)
    {
        Span<ulong> ids = stackalloc ulong[rows.Length];
        Span<long> some = stackalloc long[rows.Length];
        Span<long> references = stackalloc long[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            ids[i] = names.Ids[numbers[rows[i]]];
            some[i] = deltas[rows[i]];
        }

        _catalogue.Counters.Find(ids, references);
        if (Add(ids, some, references, out int wrong) is { } refused)
        {
            at = rows[wrong];
            return refused;
        }

        at = 0;
        if (Owner.State.Definition.Tier == Tier.Approximate)
        {
            long usual = NameEntry.Usual(Owner.State.Index);
            for (int i = 0; i < rows.Length; i++)
            {
                if (NameEntry.UsualPart(references[i]) == usual)
                {
                    names.SetUsual(numbers[rows[i]]);
                }
            }
        }

        return null;
    }
}
