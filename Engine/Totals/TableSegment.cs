using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Totals;

/// <summary>
/// One part of a <see cref="CounterTable"/>: open addressing, at most four fifths full. Ids with what is known of their names lie together, 16 bytes each, since each
/// increment looks at them; the totals, which checkpoints and readers want, lie beside them. A segment that must grow or shrink is replaced.
/// </summary>
internal sealed class TableSegment
{
    private const int LeastSlots = 16;

    public TableSegment(int slots)
    {
        Slots = IdSlots.Allocate<Slot>(slots);
        Totals = IdSlots.Allocate<long>(slots);
    }

    public Slot[] Slots { get; }

    /// <summary>Twice each total, and 1 while a checkpoint that is in it settles.</summary>
    public long[] Totals { get; }

    public int Count { get; private set; }

    public bool IsFull => (Count + 1) * 5L > Slots.Length * 4L;

    public long MemoryBytes => Slots.LongLength * 24;

    /// <summary>Slots for so many ids: a few more come in before the next growth, and three quarters of all are filled even right after one.</summary>
    public static int SlotsFor(int count) => Math.Max(LeastSlots, checked((int)((count + 1) * 1.35)));

    /// <summary>Where an id is, or the free slot where it would be.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Place(ulong id, ulong mixed)
    {
        Slot[] slots = Slots;
        for (int at = Home(mixed, slots.Length); ; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            ulong found = Volatile.Read(ref slots[at].Id);
            if (found == id || found == 0)
            {
                return at;
            }
        }
    }

    /// <summary>An id's slot; -1 when it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(ulong id, ulong mixed)
    {
        int at = Place(id, mixed);
        return Slots[at].Id == id ? at : -1;
    }

    /// <summary>Adds an id that is not there; there is room.</summary>
    public int Insert(ulong id, ulong mixed, long reference, long total)
    {
        int at = Place(id, mixed);
        Totals[at] = total;
        ref Slot slot = ref Slots[at];
        slot.Reference = reference;
        Volatile.Write(ref slot.Id, id); // last: who sees the id sees the rest
        Count++;
        return at;
    }

    /// <summary>A copy with other slots and only the ids that stay.</summary>
    public TableSegment With(int slots, IdMixer mixer, Predicate<long>? stays = null)
    {
        TableSegment into = new(slots);
        for (int i = 0; i < Slots.Length; i++)
        {
            ref Slot slot = ref Slots[i];
            if (slot.Id != 0 && (stays is null || stays(slot.Reference)))
            {
                into.Insert(slot.Id, mixer.Mix(slot.Id), slot.Reference, Totals[i]);
            }
        }

        return into;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Prefetch(ulong mixed, bool withTotal)
    {
        int home = Home(mixed, Slots.Length);
        Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Slots), home)));
        if (withTotal)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Totals), home)));
        }
    }

    // A larger mixed number never has an earlier home: copying is a pass through memory.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Home(ulong mixed, int slots) => (int)Math.BigMul(mixed << CounterTable.SegmentBits, (ulong)(uint)slots, out _);

    public struct Slot
    {
        public ulong Id;
        public long Reference;
    }
}
