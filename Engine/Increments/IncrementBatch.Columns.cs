using System.Numerics;
using System.Text;
using Sketch.Engine.Catalogue;

namespace Sketch.Engine.Increments;

/// <content>Columns of ids whose names the node knows, or the batch declares: the fast door. Nothing is hashed and no name is looked at.</content>
public sealed partial class IncrementBatch
{
    // Looked up together, so that their lines come from memory together, and used while they are in the nearest cache.
    private const int Together = 256;

    /// <summary>Declares a counter's name, so that its id may be used in columns. A name the node knows already is no error.</summary>
    /// <param name="nameUtf8">1 to 256 bytes of valid UTF-8 without control characters.</param>
    /// <returns>Null when declared, else the refusal, of the field name.</returns>
    public Rejection? Declare(ReadOnlySpan<byte> nameUtf8)
    {
        if (CounterName.Check(nameUtf8) is { } badName)
        {
            return badName;
        }

        ulong id = CounterId.Of(Owner.IdPrefix, nameUtf8);
        if (!_catalogue.Counters.TryGet(id, out NameEntry entry))
        {
            AppendName(id, nameUtf8);
            return null;
        }

        if (!entry.Is(Owner.State.Index, nameUtf8))
        {
            return CounterName.Taken(nameUtf8);
        }

        if (!entry.IsDeclared)
        {
            AppendName(id, nameUtf8);
        }

        return null;
    }

    /// <summary>Adds a column of increments; at the first wrong one it stops, and the batch must be dropped.</summary>
    /// <param name="ids">Ids of the namespace's counters (<see cref="CounterId"/>), or of names declared before.</param>
    /// <param name="deltas">One for each id; at most <see cref="EngineLimits.MaxDelta"/> either way; not negative for approximate counters.</param>
    /// <param name="at">Which row was refused.</param>
    /// <returns>Null when all were added, else the refusal, of the field id, delta or increments.</returns>
    public Rejection? Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, out int at)
    {
        at = 0;
        ArgumentOutOfRangeException.ThrowIfNotEqual(deltas.Length, ids.Length);
        if (MakeRoom(ids.Length) is { } tooMany)
        {
            return tooMany;
        }

        Span<long> references = stackalloc long[Together];
        for (; at < ids.Length; at += Together)
        {
            int count = Math.Min(Together, ids.Length - at);
            ReadOnlySpan<ulong> some = ids.Slice(at, count);
            _catalogue.Counters.Find(some, references[..count]);
            if (Add(some, deltas.Slice(at, count), references[..count], out int wrong) is { } refused)
            {
                at += wrong;
                return refused;
            }
        }

        return null;
    }

    private Rejection? MakeRoom(int increments)
    {
        if (increments > EngineLimits.MaxBatchIncrements - Count)
        {
            return new Rejection(
                RejectionReason.Invalid, "increments", $"{Count + (long)increments} increments", $"1 to {EngineLimits.MaxBatchIncrements}");
        }

        if (_sketch + increments > _sketchIds.Length)
        {
            GrowSketchRows((int)BitOperations.RoundUpToPowerOf2((uint)(_sketch + increments)));
        }

        return null;
    }

    private Rejection? Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, ReadOnlySpan<long> references, out int at)
    {
        // What nearly every row is: declared, without a definition of its own, in this namespace, and small.
        NamespaceEntry owner = Owner;
        bool isApproximate = owner.State.Definition.Tier == Tier.Approximate;
        long usual = NameEntry.Usual(owner.State.Index);
        Span<ulong> sketchIds = _sketchIds.AsSpan(_sketch);
        Span<uint> sketchDeltas = _sketchDeltas.AsSpan(_sketch);
        int added = 0;
        long weight = 0;
        uint largest = _largest;
        Rejection? refused = null;
        for (at = 0; at < ids.Length; at++)
        {
            if (isApproximate && NameEntry.UsualPart(references[at]) == usual && (ulong)deltas[at] < MaxSketchDelta)
            {
                uint delta = (uint)deltas[at];
                sketchIds[added] = ids[at];
                sketchDeltas[added++] = delta;
                largest = Math.Max(largest, delta);
                weight += delta;
                continue;
            }

            // It may add rows and grow their columns.
            Commit(ref added, ref weight, largest);
            refused = AddUnusual(ids[at], deltas[at], owner);
            if (refused is not null)
            {
                break;
            }

            sketchIds = _sketchIds.AsSpan(_sketch);
            sketchDeltas = _sketchDeltas.AsSpan(_sketch);
            largest = _largest;
        }

        Commit(ref added, ref weight, largest);
        return refused;
    }

    private void Commit(ref int added, ref long weight, uint largest)
    {
        _sketch += added;
        Weight += weight;
        _largest = largest;
        added = 0;
        weight = 0;
    }

    private Rejection? AddUnusual(ulong id, long delta, NamespaceEntry owner)
    {
        Tier tier = owner.State.Definition.Tier;
        if (id != 0 && _catalogue.Counters.TryGet(id, out NameEntry entry) && entry.NamespaceIndex == owner.State.Index)
        {
            if (entry.IsDefined && OfOtherKind(id) is { } otherKind)
            {
                return otherKind;
            }

            tier = _catalogue.TierOf(id, entry, owner);
            if (entry.IsDeclared)
            {
                if (entry.NeedsName && _catalogue.Expiring.GetValueOrDefault(id) is { } expiring)
                {
                    AppendName(id, Encoding.UTF8.GetBytes(expiring));
                }
            }
            else if (!_newIds.Contains(id))
            {
                // Another batch brings it too, but may be refused.
                if (_catalogue.Entered(id) is { } name)
                {
                    AppendName(id, name);
                }
                else if (!_catalogue.Counters.TryGet(id, out entry) || !entry.IsDeclared)
                {
                    return UnknownId(id);
                }
            }
        }
        else if (!_newIds.Contains(id))
        {
            return UnknownId(id);
        }

        if (Definitions.CheckDelta(delta, tier) is { } badDelta)
        {
            return badDelta;
        }

        Append(id, delta, tier);
        return null;
    }

    private static Rejection UnknownId(ulong id) =>
        new(RejectionReason.Invalid, "id", $"{id:x16}", "the id of a counter of this namespace, or of a name that the batch declares");
}
