using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Totals;

/// <content>
/// Exact totals of hot counters. A checkpoint's deltas are added one by one while readers go on: a total that has got its delta says so by a flag, and a reader whose
/// view is from before the checkpoint takes the delta off again. What the checkpoint says of cold counters is in the store already.
/// </content>
internal sealed partial class CounterTable
{
    /// <summary>No total, since those stay within 2^62.</summary>
    public const long NotHere = long.MinValue;

    private Settling? _settling;
    private long _epoch;

    /// <summary>
    /// The checkpointer adds a stored window's deltas: readers of earlier epochs still read what was before. Followed by <see cref="Finish"/> once views of this
    /// epoch are what readers see.
    /// </summary>
    public void Apply(DeltaColumns deltas, long epoch)
    {
        lock (_changing)
        {
            _epoch = epoch;
            Volatile.Write(ref _settling, new Settling(epoch, deltas));
        }

        EachHot(deltas, static (segment, at, delta) =>
        {
            ref long reference = ref segment.Reference(at);
            if ((reference & NameEntry.UsedMask) != NameEntry.UsedMask)
            {
                Volatile.Write(ref reference, reference | NameEntry.UsedMask);
            }

            // Totals stay below 2^62 (the namespaces' quota), which leaves a bit for the flag.
            ref long packed = ref segment.Total(at);
            Volatile.Write(ref packed, (((packed >> 1) + delta) << 1) | 1);
        });
    }

    /// <summary>No reader reads at an earlier epoch any more: the flags go.</summary>
    public void Finish(DeltaColumns deltas)
    {
        EachHot(deltas, static (segment, at, _) =>
        {
            ref long packed = ref segment.Total(at);
            Volatile.Write(ref packed, packed & ~1L);
        });
        Volatile.Write(ref _settling, null);
    }

    /// <summary>
    /// An id's total at checkpoint <paramref name="epoch"/>; false when it is not in memory. Right only if no checkpoint after the next one began meanwhile: the
    /// caller checks that the view it reads from is still the published one.
    /// </summary>
    public bool At(ulong id, long epoch, out long total)
    {
        ulong mixed = _mixer.Mix(id);
        while (true)
        {
            TableSegment segment = Segment(mixed);
            int at = segment.FindMixed(id, mixed);
            if (at < 0 || (Volatile.Read(ref segment.Reference(at)) & NameEntry.UnloadedFlag) != 0)
            {
                total = 0;
                return false;
            }

            // A flag means what the checkpoint says that was in progress when the total was read: the same one before and after, and the total one that is still written to.
            Settling? settling = Volatile.Read(ref _settling);
            long packed = Volatile.Read(ref segment.Total(at));
            if (ReferenceEquals(settling, Volatile.Read(ref _settling)) && ReferenceEquals(segment, Segment(mixed)))
            {
                bool isLater = (packed & 1) != 0 && settling?.Epoch > epoch;
                total = isLater ? (packed >> 1) - settling!.Deltas.Of(id) : packed >> 1;
                return true;
            }
        }
    }

    /// <summary>The newest totals of some ids, <see cref="NotHere"/> for what is not in memory; for the checkpointer's thread.</summary>
    /// <param name="ids">At most <see cref="IdLines.Together"/>.</param>
    /// <param name="totals">Gets their totals.</param>
    public void Newest(ReadOnlySpan<ulong> ids, Span<long> totals)
    {
        Span<nint> slots = stackalloc nint[ids.Length];
        using SegmentsSeen segments = Seen();
        segments.FindWithTotals(ids, slots);
        for (int i = 0; i < ids.Length; i++)
        {
            totals[i] = NotHere;
            if (slots[i] != SegmentsSeen.Nowhere && (IdLines.NumberAt(slots[i]) & NameEntry.UnloadedFlag) == 0)
            {
                TableSegment segment = segments.Of(ids[i]);
                totals[i] = segment.Total(segment.SlotOf(slots[i])) >> 1;
            }
        }
    }

    /// <summary>Notes that an id was read: it stays longer.</summary>
    public void Touch(ulong id)
    {
        if (Hot < _capacity / 8 * 7)
        {
            return; // nothing leaves soon
        }

        ulong mixed = _mixer.Mix(id);
        TableSegment segment = Segment(mixed);
        int at = segment.FindMixed(id, mixed);
        if (at >= 0 && (Volatile.Read(ref segment.Reference(at)) & NameEntry.UsedMask) != NameEntry.UsedMask)
        {
            lock (_changing)
            {
                segment = Segment(mixed);
                at = segment.FindMixed(id, mixed);
                if (at >= 0)
                {
                    Volatile.Write(ref segment.Reference(at), segment.Reference(at) | NameEntry.UsedMask);
                }
            }
        }
    }

    /// <summary>Tells of every hot id, its namespace and its newest total; for the checkpointer's thread.</summary>
    public void EachTotal(Action<ulong, ushort, long> take)
    {
        foreach (TableSegment segment in _segments)
        {
            for (int at = 0; at < segment.Slots; at++)
            {
                (ulong id, long reference) = (segment.Id(at), segment.Reference(at));
                if (id != 0 && (reference & (NameEntry.UnloadedFlag | NameEntry.RemovedFlag)) == 0)
                {
                    take(id, new NameEntry(_names, reference).NamespaceIndex, segment.Total(at) >> 1);
                }
            }
        }
    }

    private void EachHot(DeltaColumns deltas, Action<TableSegment, int, long> change)
    {
        foreach (DeltaRun run in deltas.Runs)
        {
            for (int from = 0; from < run.Ids.Length; from += BulkRows)
            {
                // A part at a time: new names wait for the lock.
                int rows = Math.Min(BulkRows, run.Ids.Length - from);
                lock (_changing)
                {
                    EachHot(run.Ids.Span.Slice(from, rows), run.Deltas.Span.Slice(from, rows), change);
                }
            }
        }
    }

    private void EachHot(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, Action<TableSegment, int, long> change)
    {
        Span<nint> slots = stackalloc nint[IdLines.Together];
        using SegmentsSeen segments = Seen();
        for (; !ids.IsEmpty; ids = ids[slots.Length..], deltas = deltas[slots.Length..])
        {
            slots = slots[..Math.Min(slots.Length, ids.Length)];
            segments.FindWithTotals(ids[..slots.Length], slots);
            for (int i = 0; i < slots.Length; i++)
            {
                if (slots[i] != SegmentsSeen.Nowhere && (IdLines.NumberAt(slots[i]) & NameEntry.UnloadedFlag) == 0)
                {
                    TableSegment segment = segments.Of(ids[i]);
                    change(segment, segment.SlotOf(slots[i]), deltas[i]);
                }
            }
        }
    }

    private sealed record Settling(long Epoch, DeltaColumns Deltas);
}
