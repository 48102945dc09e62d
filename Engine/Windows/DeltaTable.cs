namespace Sketch.Engine.Windows;

/// <summary>
/// Exact sums by id: open addressing with linear probing, 16 bytes a slot, at most half full. One writer; readers take no lock and see, of each id, a sum
/// that was right at some moment during the read.
/// </summary>
internal sealed class DeltaTable
{
    private Slot[] _slots;
    private int _count;

    public DeltaTable(int capacity = 256) => _slots = new Slot[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity * 2)];

    /// <summary>How many ids there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The writer adds to an id's sum.</summary>
    public void Add(ulong id, long delta)
    {
        Slot[] slots = _slots;
        for (ulong at = id; ; at++)
        {
            ref Slot slot = ref slots[at & (ulong)(slots.Length - 1)];
            if (slot.Id == id)
            {
                Volatile.Write(ref slot.Delta, slot.Delta + delta);
                return;
            }

            if (slot.Id == 0)
            {
                if (_count * 2 >= slots.Length)
                {
                    slots = Grow();
                    at = id - 1;
                    continue;
                }

                slot.Delta = delta;
                Volatile.Write(ref slot.Id, id); // last: who sees the id sees its sum
                Volatile.Write(ref _count, _count + 1);
                return;
            }
        }
    }

    /// <summary>An id's sum; false when it has none.</summary>
    public bool TryGet(ulong id, out long delta)
    {
        Slot[] slots = Volatile.Read(ref _slots);
        for (ulong at = id; ; at++)
        {
            ref Slot slot = ref slots[at & (ulong)(slots.Length - 1)];
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
        ulong[] ids = new ulong[_count];
        long[] deltas = new long[_count];
        int next = 0;
        foreach (Slot slot in _slots)
        {
            if (slot.Id != 0)
            {
                ids[next] = slot.Id;
                deltas[next++] = slot.Delta;
            }
        }

        Array.Sort(ids, deltas);
        return (ids, deltas);
    }

    private Slot[] Grow()
    {
        Slot[] into = new Slot[_slots.Length * 2];
        foreach (Slot slot in _slots)
        {
            if (slot.Id != 0)
            {
                ulong at = slot.Id;
                while (into[at & (ulong)(into.Length - 1)].Id != 0)
                {
                    at++;
                }

                into[at & (ulong)(into.Length - 1)] = slot;
            }
        }

        Volatile.Write(ref _slots, into);
        return into;
    }

    private struct Slot
    {
        public ulong Id;
        public long Delta;
    }
}
