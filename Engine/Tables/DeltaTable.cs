namespace Sketch.Engine.Tables;

/// <summary>
/// Exact sums by id: open addressing, 16 bytes a slot, at most half full. One writer; readers take no lock and see, of each id, a sum that was right at some
/// moment during the read.
/// </summary>
internal sealed class DeltaTable
{
    private const int LeastSlots = 512;

    private readonly IdSort _sort = new();
    private Slot[] _slots;
    private int _count;

    public DeltaTable() => _slots = IdSlots.Allocate<Slot>(LeastSlots);

    /// <summary>How many ids there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The writer adds to an id's sum.</summary>
    public void Add(ulong id, long delta)
    {
        Slot[] slots = _slots;
        for (int at = IdSlots.Home(id, slots.Length); ; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            ref Slot slot = ref slots[at];
            if (slot.Id == id)
            {
                Volatile.Write(ref slot.Delta, slot.Delta + delta);
                return;
            }

            if (slot.Id == 0)
            {
                if (_count * 2 >= slots.Length)
                {
                    break;
                }

                slot.Delta = delta;
                Volatile.Write(ref slot.Id, id); // last: who sees the id sees its sum
                Volatile.Write(ref _count, _count + 1);
                return;
            }
        }

        Grow();
        Add(id, delta);
    }

    /// <summary>The writer adds many.</summary>
    public void Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas)
    {
        for (int from = 0; from < ids.Length; from += IdSlots.Group)
        {
            IdSlots.PrefetchAhead(_slots, ids, from);
            int end = Math.Min(ids.Length, from + IdSlots.Group);
            for (int i = from; i < end; i++)
            {
                Add(ids[i], deltas[i]);
            }
        }
    }

    /// <summary>The writer adds many.</summary>
    public void Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<uint> deltas)
    {
        for (int from = 0; from < ids.Length; from += IdSlots.Group)
        {
            IdSlots.PrefetchAhead(_slots, ids, from);
            int end = Math.Min(ids.Length, from + IdSlots.Group);
            for (int i = from; i < end; i++)
            {
                Add(ids[i], deltas[i]);
            }
        }
    }

    /// <summary>An id's sum; false when it has none.</summary>
    public bool TryGet(ulong id, out long delta)
    {
        Slot[] slots = Volatile.Read(ref _slots);
        for (int at = IdSlots.Home(id, slots.Length); ; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            ref Slot slot = ref slots[at];
            ulong found = Volatile.Read(ref slot.Id);
            if (found == id)
            {
                delta = Volatile.Read(ref slot.Delta);
                return true;
            }

            if (found == 0)
            {
                delta = 0;
                return false;
            }
        }
    }

    /// <summary>All ids in ascending order with their sums; for the writer's thread.</summary>
    public (ulong[] Ids, long[] Deltas) Sorted()
    {
        ulong[] ids = GC.AllocateUninitializedArray<ulong>(_count);
        long[] deltas = GC.AllocateUninitializedArray<long>(_count);
        int count = 0;
        foreach (ref Slot slot in _slots.AsSpan())
        {
            if (slot.Id != 0)
            {
                ids[count] = slot.Id;
                deltas[count++] = slot.Delta;
            }
        }

        _sort.Sort(ids, deltas);
        return (ids, deltas);
    }

    /// <summary>Empties the table for the next use; no reader may hold it. It keeps its size while that is of use.</summary>
    public void Clear()
    {
        if (_count * 16L < _slots.Length && _slots.Length > LeastSlots)
        {
            _slots = IdSlots.Allocate<Slot>(Math.Max(LeastSlots, _count * 4));
        }
        else
        {
            Array.Clear(_slots);
        }

        _count = 0;
    }

    private void Grow()
    {
        Slot[] into = IdSlots.Allocate<Slot>(checked(_slots.Length * 2));
        foreach (ref Slot slot in _slots.AsSpan())
        {
            if (slot.Id != 0)
            {
                int at = IdSlots.Home(slot.Id, into.Length);
                while (into[at].Id != 0)
                {
                    at = at + 1 == into.Length ? 0 : at + 1;
                }

                into[at] = slot;
            }
        }

        Volatile.Write(ref _slots, into);
    }

    private struct Slot
    {
        public ulong Id;
        public long Delta;
    }
}
