using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Totals;

/// <summary>
/// One part of a <see cref="CounterTable"/>, at most four fifths full. Ids with what is known of their names lie together, since each increment looks at them; the totals, which
/// checkpoints and readers want, lie beside them. A segment that must grow or shrink is replaced.
/// </summary>
internal sealed class TableSegment : IdLines
{
    private const int LeastSlots = 16;

    /// <param name="slots">At least so many slots, of 24 bytes.</param>
    public TableSegment(int slots)
        : base(slots, beside: 1)
    {
    }

    /// <summary>How many ids there are.</summary>
    public int Count { get; private set; }

    /// <summary>Whether another id needs a larger segment.</summary>
    public bool IsFull => (Count + 1) * 5L > Slots * 4L;

    /// <summary>Memory of ids and totals, in bytes.</summary>
    public override long MemoryBytes => base.MemoryBytes + ((long)Slots * sizeof(long));

    /// <summary>Slots for so many ids: a few more come in before the next growth, and three quarters of all are filled even right after one.</summary>
    public static int SlotsFor(int count) => (Math.Max(LeastSlots, checked((int)((count + 1) * 1.35))) + Width - 1) / Width * Width;

    /// <summary>What <see cref="Catalogue.NameEntry"/> calls the reference of the id in a slot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref long Reference(int slot) => ref Number(slot);

    /// <summary>Twice the total of the id in a slot, and 1 while a checkpoint that is in it settles, or, during a start, where the store has one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref long Total(int slot) => ref Unsafe.As<ulong, long>(ref Unsafe.Add(ref Beside, (nuint)(uint)slot));

    /// <summary>An id's slot; negative when it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FindMixed(ulong id, ulong mixed) => Find(id, Home(mixed));

    /// <summary>Adds an id that is not there; there is room.</summary>
    public int Insert(ulong id, ulong mixed, long reference, long total)
    {
        int at = ~FindMixed(id, mixed);
        if (total != 0)
        {
            Total(at) = total; // it is zero: only who has another touches its line
        }

        Fill(at, id, reference);
        Count++;
        return at;
    }

    /// <summary>A copy with other slots and only the ids that stay.</summary>
    public TableSegment With(int slots, IdMixer mixer, Predicate<long>? stays = null)
    {
        TableSegment into = new(slots);
        for (int i = 0; i < Slots; i++)
        {
            ulong id = Id(i);
            if (id != 0 && (stays is null || stays(Reference(i))))
            {
                into.Insert(id, mixer.Mix(id), Reference(i), Total(i));
            }
        }

        return into;
    }

    /// <summary>Asks for the totals of a line's ids.</summary>
    /// <param name="line">Its address.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void AskTotals(ulong* line)
    {
        if (Sse.IsSupported)
        {
            // Into the second-level cache, as in IdLines.
            Sse.Prefetch1(Unsafe.AsPointer(ref Total(SlotOf((nint)line))));
        }
    }

    /// <summary>The line where an id is looked for first. A larger mixed number never has an earlier one: copying is a pass through memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Home(ulong mixed) => (int)((mixed << CounterTable.SegmentBits >> 32) * (uint)Lines >> 32);
}
