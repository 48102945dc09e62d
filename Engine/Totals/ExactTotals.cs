using System.Numerics;

namespace Sketch.Engine.Totals;

/// <summary>
/// Exact totals by id, 32 bytes a slot: id, total, and what is needed to read the total as it was one checkpoint earlier. A checkpoint's deltas are added one
/// by one while readers go on: each reader names the checkpoint it reads at, and a slot that is already one further gives back what it added last. One writer, no locks.
/// </summary>
internal sealed class ExactTotals
{
    private readonly Slot[] _slots;
    private int _count;

    public ExactTotals(int capacity = 512) => _slots = new Slot[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, capacity) * 4 / 3)];

    /// <summary>How many ids there are.</summary>
    public int Count => _count;

    /// <summary>This table when it has room for so many more ids, else a larger copy; readers of the old one are not disturbed.</summary>
    public ExactTotals WithRoomFor(int more)
    {
        if ((_count + (long)more) * 4 <= _slots.Length * 3L)
        {
            return this;
        }

        ExactTotals into = new(checked(Math.Max(_count + more, _slots.Length)));
        foreach (Slot slot in _slots)
        {
            if (slot.Id != 0)
            {
                into._slots[into.Free(slot.Id)] = slot;
            }
        }

        into._count = _count;
        return into;
    }

    /// <summary>The writer adds one id's delta of checkpoint <paramref name="epoch"/>; once an id and checkpoint.</summary>
    public void Add(ulong id, long delta, long epoch)
    {
        for (ulong at = id; ; at++)
        {
            ref Slot slot = ref _slots[at & (ulong)(_slots.Length - 1)];
            if (slot.Id == id)
            {
                // Negative while the parts don't fit each other: a reader that meets it, or a change, reads again.
                Volatile.Write(ref slot.Epoch, -epoch);
                Volatile.Write(ref slot.LastDelta, delta);
                Volatile.Write(ref slot.Total, slot.Total + delta);
                Volatile.Write(ref slot.Epoch, epoch);
                return;
            }

            if (slot.Id == 0)
            {
                slot.Total = delta;
                slot.LastDelta = delta;
                slot.Epoch = epoch;
                Volatile.Write(ref slot.Id, id);
                _count++;
                return;
            }
        }
    }

    /// <summary>
    /// An id's total at checkpoint <paramref name="epoch"/>, zero when it has none. Right only if no checkpoint after the next one began meanwhile: the
    /// caller checks that the view it reads from is still the published one.
    /// </summary>
    public long At(ulong id, long epoch)
    {
        for (ulong at = id; ; at++)
        {
            ref Slot slot = ref _slots[at & (ulong)(_slots.Length - 1)];
            ulong found = Volatile.Read(ref slot.Id);
            if (found == 0)
            {
                return 0;
            }

            if (found == id)
            {
                return Read(ref slot, epoch);
            }
        }
    }

    /// <summary>Whether an id has a total; for the writer's thread.</summary>
    public bool Contains(ulong id) => _slots[Free(id, stopAt: id)].Id == id;

    /// <summary>Every id with its newest total; for the writer's thread.</summary>
    public IEnumerable<(ulong Id, long Total)> All()
    {
        foreach (Slot slot in _slots)
        {
            if (slot.Id != 0)
            {
                yield return (slot.Id, slot.Total);
            }
        }
    }

    private static long Read(ref Slot slot, long epoch)
    {
        SpinWait spin = default;
        while (true)
        {
            long before = Volatile.Read(ref slot.Epoch);
            long total = Volatile.Read(ref slot.Total);
            long last = Volatile.Read(ref slot.LastDelta);
            if (before >= 0 && before == Volatile.Read(ref slot.Epoch))
            {
                return before > epoch ? total - last : total;
            }

            spin.SpinOnce();
        }
    }

    // The first free slot on the id's way, or the slot of stopAt if that comes before.
    private int Free(ulong id, ulong stopAt = 0)
    {
        ulong at = id;
        while (_slots[at & (ulong)(_slots.Length - 1)].Id is var found && found != 0 && found != stopAt)
        {
            at++;
        }

        return (int)(at & (ulong)(_slots.Length - 1));
    }

    private struct Slot
    {
        public ulong Id;
        public long Total;
        public long LastDelta;
        public long Epoch;
    }
}
