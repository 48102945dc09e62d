using Sketch.Engine.Checkpoints;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Totals;

/// <summary>
/// Exact totals by id, 16 bytes a slot, at most four fifths full. A checkpoint's deltas are added one by one while readers go on: a slot that has got its delta
/// says so by a flag, and a reader whose view is from before the checkpoint takes the delta off again. One writer, no locks.
/// </summary>
internal sealed class ExactTotals
{
    private const double MaxLoad = 0.8;

    private readonly Slot[] _slots;
    private int _count;
    private Settling? _settling;

    public ExactTotals(int capacity = 512) => _slots = IdSlots.Allocate<Slot>(checked((int)(Math.Max(16, capacity) / MaxLoad) + 1));

    /// <summary>How many ids there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Memory of the table, in bytes.</summary>
    public long MemoryBytes => _slots.LongLength * 16;

    /// <summary>This table when it has room for so many more ids, else a larger copy; readers of the old one are not disturbed.</summary>
    public ExactTotals WithRoomFor(int more)
    {
        if (_count + (long)more <= _slots.Length * MaxLoad)
        {
            return this;
        }

        // Half as much again: whoever counts ever more names gets few copies, and nobody a table twice too large.
        ExactTotals into = new(checked((int)Math.Max(_count + (long)more, _count * 3L / 2)));
        foreach (ref Slot slot in _slots.AsSpan())
        {
            if (slot.Id != 0)
            {
                into.Add(slot.Id, slot.Packed >> 1);
            }
        }

        return into;
    }

    /// <summary>Adds to an id's total; before there are readers.</summary>
    public void Add(ulong id, long total) => Add(id, total, applied: false);

    /// <summary>
    /// The writer adds a checkpoint's deltas: readers of earlier epochs still read what was before. Followed by <see cref="Finish"/> once views of this
    /// epoch are what readers see.
    /// </summary>
    /// <param name="deltas">The deltas, for which there is room.</param>
    /// <param name="epoch">The checkpoint's number.</param>
    public void Apply(DeltaColumns deltas, long epoch)
    {
        Volatile.Write(ref _settling, new Settling(epoch, deltas));
        foreach (DeltaRun run in deltas.Runs)
        {
            ReadOnlySpan<ulong> ids = run.Ids.Span;
            ReadOnlySpan<long> sums = run.Deltas.Span;
            for (int i = 0; i < ids.Length; i++)
            {
                Ahead(ids, i);
                Add(ids[i], sums[i], applied: true);
            }
        }
    }

    /// <summary>No reader reads at an earlier epoch any more: the flags go.</summary>
    public void Finish(DeltaColumns deltas)
    {
        foreach (DeltaRun run in deltas.Runs)
        {
            ReadOnlySpan<ulong> ids = run.Ids.Span;
            for (int i = 0; i < ids.Length; i++)
            {
                Ahead(ids, i);
                ref Slot slot = ref _slots[Find(ids[i])];
                Volatile.Write(ref slot.Packed, slot.Packed & ~1L);
            }
        }

        Volatile.Write(ref _settling, null);
    }

    /// <summary>
    /// An id's total at checkpoint <paramref name="epoch"/>, zero when it has none. Right only if no checkpoint after the next one began meanwhile: the
    /// caller checks that the view it reads from is still the published one.
    /// </summary>
    public long At(ulong id, long epoch)
    {
        int at = Find(id);
        if (at < 0)
        {
            return 0;
        }

        while (true)
        {
            // A flag means what the checkpoint says that was in progress when the slot was read: the same one before and after.
            Settling? settling = Volatile.Read(ref _settling);
            long packed = Volatile.Read(ref _slots[at].Packed);
            if (ReferenceEquals(settling, Volatile.Read(ref _settling)))
            {
                bool isLater = (packed & 1) != 0 && settling?.Epoch > epoch;
                return isLater ? (packed >> 1) - settling!.Deltas.Of(id) : packed >> 1;
            }
        }
    }

    /// <summary>How many of these ids have no total yet; for the writer's thread.</summary>
    public int Missing(DeltaColumns deltas)
    {
        int missing = 0;
        foreach (DeltaRun run in deltas.Runs)
        {
            ReadOnlySpan<ulong> ids = run.Ids.Span;
            for (int i = 0; i < ids.Length; i++)
            {
                Ahead(ids, i);
                missing += Find(ids[i]) < 0 ? 1 : 0;
            }
        }

        return missing;
    }

    /// <summary>Every id with its newest total; for the writer's thread.</summary>
    public IEnumerable<(ulong Id, long Total)> All()
    {
        foreach (Slot slot in _slots)
        {
            if (slot.Id != 0)
            {
                yield return (slot.Id, slot.Packed >> 1);
            }
        }
    }

    private void Ahead(ReadOnlySpan<ulong> ids, int at)
    {
        if (at % IdSlots.Group == 0)
        {
            IdSlots.PrefetchAhead(_slots, ids, at);
        }
    }

    private void Add(ulong id, long delta, bool applied)
    {
        // Totals stay below 2^62 (the namespaces' quota), which leaves a bit for the flag.
        long flag = applied ? 1 : 0;
        Slot[] slots = _slots;
        for (int at = IdSlots.Home(id, slots.Length); ; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            ref Slot slot = ref slots[at];
            if (slot.Id == id)
            {
                Volatile.Write(ref slot.Packed, (((slot.Packed >> 1) + delta) << 1) | flag);
                return;
            }

            if (slot.Id == 0)
            {
                slot.Packed = (delta << 1) | flag;
                Volatile.Write(ref slot.Id, id); // last: who sees the id sees its total
                Volatile.Write(ref _count, _count + 1);
                return;
            }
        }
    }

    private int Find(ulong id)
    {
        Slot[] slots = _slots;
        for (int at = IdSlots.Home(id, slots.Length); ; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            ulong found = Volatile.Read(ref slots[at].Id);
            if (found == id || found == 0)
            {
                return found == 0 ? -1 : at;
            }
        }
    }

    private sealed record Settling(long Epoch, DeltaColumns Deltas);

    private struct Slot
    {
        public ulong Id;
        public long Packed;
    }
}
