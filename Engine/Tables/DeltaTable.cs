namespace Sketch.Engine.Tables;

/// <summary>
/// Exact sums by id: open addressing, 16 bytes a slot, at most half full. One writer; readers take no lock and see, of each id, a sum that was right at some
/// moment during the read.
/// </summary>
internal sealed class DeltaTable
{
    private Slot[] _slots;
    private int _count;

    public DeltaTable(int capacity = 256) => _slots = IdSlots.Allocate<Slot>(Math.Max(16, capacity) * 2);

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
        while (!ids.IsEmpty)
        {
            int count = Math.Min(IdSlots.Group, ids.Length);
            IdSlots.Prefetch(_slots, ids[..count]);
            for (int i = 0; i < count; i++)
            {
                Add(ids[i], deltas[i]);
            }

            ids = ids[count..];
            deltas = deltas[count..];
        }
    }

    /// <summary>The writer adds many.</summary>
    public void Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<uint> deltas)
    {
        while (!ids.IsEmpty)
        {
            int count = Math.Min(IdSlots.Group, ids.Length);
            IdSlots.Prefetch(_slots, ids[..count]);
            for (int i = 0; i < count; i++)
            {
                Add(ids[i], deltas[i]);
            }

            ids = ids[count..];
            deltas = deltas[count..];
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
        Sorter sorter = new(ids, deltas);
        int wrapped = Wrapped();
        for (int at = 0; at < _slots.Length; at++)
        {
            if (at >= wrapped || !IsWrapped(at))
            {
                sorter.Take(_slots[at]);
            }
        }

        for (int at = 0; at < wrapped; at++)
        {
            if (IsWrapped(at))
            {
                sorter.Take(_slots[at]);
            }
        }

        sorter.Finish();
        return (ids, deltas);
    }

    /// <summary>Empties the table for the next use; no reader may hold it. It keeps its size while that is of use.</summary>
    public void Clear()
    {
        if (_count * 16L < _slots.Length)
        {
            _slots = IdSlots.Allocate<Slot>(Math.Max(256, _count) * 4);
        }
        else
        {
            Array.Clear(_slots);
        }

        _count = 0;
    }

    // The first run of slots, in which ids can stand that went around the end: the largest of all.
    private int Wrapped()
    {
        int at = 0;
        while (at < _slots.Length && _slots[at].Id != 0)
        {
            at++;
        }

        return at;
    }

    private bool IsWrapped(int at) => IdSlots.Home(_slots[at].Id, _slots.Length) > at;

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

    // An insertion sort of what is nearly sorted: only ids that share a run of slots can be out of order.
    private ref struct Sorter(Span<ulong> ids, Span<long> deltas)
    {
        private readonly Span<ulong> _ids = ids;
        private readonly Span<long> _deltas = deltas;
        private readonly long _mostMoves = 16L * ids.Length;
        private int _count;
        private long _moves;

        public void Take(in Slot slot)
        {
            if (slot.Id == 0)
            {
                return;
            }

            int at = _count++;
            for (; at > 0 && _ids[at - 1] > slot.Id && _moves < _mostMoves; at--, _moves++)
            {
                _ids[at] = _ids[at - 1];
                _deltas[at] = _deltas[at - 1];
            }

            _ids[at] = slot.Id;
            _deltas[at] = slot.Delta;
        }

        /// <summary>Somebody may have chosen names whose ids lie together: then it was too much to move.</summary>
        public readonly void Finish()
        {
            if (_moves >= _mostMoves)
            {
                _ids.Sort(_deltas);
            }
        }
    }

    private struct Slot
    {
        public ulong Id;
        public long Delta;
    }
}
