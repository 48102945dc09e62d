using System.Runtime.InteropServices;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Totals;

/// <content>What the store has comes in, at start-up: all names after the replay of the log, then all totals.</content>
internal sealed partial class CounterTable
{
    private bool _isLoading = true;

    /// <summary>Makes room for so many counters, or as many as may be in memory, so that it is not made again and again; at start-up only.</summary>
    /// <param name="counters">How many the store may bring.</param>
    public void Expect(long counters)
    {
        lock (_changing)
        {
            int each = (int)(Math.Min(counters, _capacity) >> SegmentBits);
            for (int i = 0; i < _segments.Length; i++)
            {
                // Ids are hashes: four times the root of the number expected is more than nearly any segment gets on top of it.
                int slots = TableSegment.SlotsFor(_segments[i].Count + each + (4 * (int)Math.Sqrt(each)));
                if (_segments[i].Slots < slots)
                {
                    Volatile.Write(ref _segments[i], _segments[i].With(slots, _mixer));
                }
            }
        }
    }

    /// <summary>Counters as the store has them, but for their totals; at start-up only.</summary>
    /// <param name="namespaceIndex">Whose they are.</param>
    /// <param name="counters">Their names. What a replay deleted is deleted whatever they say (<see cref="AddRemoved"/>).</param>
    /// <returns>How many of them had no entry and exist.</returns>
    /// <exception cref="InvalidDataException">An id belongs to another name.</exception>
    public int LoadNames(ushort namespaceIndex, ReadOnlySpan<StoredName> counters)
    {
        int added = 0;
        Span<ulong> ids = stackalloc ulong[IdLines.Together];
        for (; !counters.IsEmpty; counters = counters[ids.Length..])
        {
            ids = ids[..Math.Min(ids.Length, counters.Length)];
            for (int i = 0; i < ids.Length; i++)
            {
                ids[i] = counters[i].Id;
            }

            lock (_changing)
            {
                Prefetch(ids);
                foreach (ref readonly StoredName counter in counters[..ids.Length])
                {
                    added += LoadName(namespaceIndex, counter) ? 1 : 0;
                }
            }
        }

        return added;
    }

    /// <summary>Totals as the store has them, after all names; at start-up only.</summary>
    /// <param name="namespaceIndex">Whose they are.</param>
    /// <param name="ids">The counters.</param>
    /// <param name="totals">Their totals; <see cref="NotHere"/> takes the place of those that are no counters', as these are deleted.</param>
    public void LoadTotals(ushort namespaceIndex, ReadOnlySpan<ulong> ids, Span<long> totals)
    {
        Span<int> slots = stackalloc int[IdLines.Together];
        for (; !ids.IsEmpty; ids = ids[slots.Length..], totals = totals[slots.Length..])
        {
            slots = slots[..Math.Min(slots.Length, ids.Length)];
            lock (_changing)
            {
                SegmentsSeen segments = new(_segments);
                segments.Find(ids, _mixer, slots, withTotals: true);
                for (int i = 0; i < slots.Length; i++)
                {
                    TableSegment segment = segments.Of(_mixer.Mix(ids[i]));
                    if (slots[i] >= 0)
                    {
                        segment.Total(slots[i]) += totals[i] << 1;
                        totals[i] = (segment.Reference(slots[i]) & NameEntry.RemovedFlag) != 0 ? NotHere : totals[i];
                    }
                    else if (totals[i] == 0)
                    {
                        totals[i] = NotHere; // nearly all of these are deleted
                    }
                    else
                    {
                        Leaves(namespaceIndex, totals[i]);
                    }
                }
            }
        }
    }

    /// <summary>
    /// A replay deleted a counter that nothing named since the store's last window: when the store tells of it, it is deleted here. However many there are, each is
    /// remembered until a window that says so is stored; that comes on top of what hot counters may take.
    /// </summary>
    /// <param name="id">Its id, which has no entry, or one of a counter that is gone.</param>
    /// <param name="namespaceIndex">Whose it was.</param>
    /// <param name="name">Its name.</param>
    public void AddRemoved(ulong id, ushort namespaceIndex, ReadOnlySpan<byte> name)
    {
        ulong mixed = _mixer.Mix(id);
        lock (_changing)
        {
            if (!_isLoading)
            {
                return;
            }

            long reference = ((long)namespaceIndex << NameEntry.NamespaceShift) | NameEntry.RemovedFlag | _names.Of(name);
            TableSegment segment = Segment(mixed);
            int at = segment.FindMixed(id, mixed);
            if (at < 0)
            {
                Insert(id, mixed, reference, 0);
            }
            else
            {
                segment.Reference(at) = reference;
                segment.Total(at) = 0;
            }
        }
    }

    /// <summary>Everything is loaded.</summary>
    public void FinishLoading()
    {
        lock (_changing)
        {
            SortedLeave();
            _isLoading = false;
        }

        Fit(); // which sees who came,
        Fit(); // and that nobody has since
    }

    // True when it had no entry and exists.
    private bool LoadName(ushort namespaceIndex, in StoredName counter)
    {
        ulong mixed = _mixer.Mix(counter.Id);
        TableSegment segment = Segment(mixed);
        int at = segment.FindMixed(counter.Id, mixed);
        if (at >= 0 && !IsGone(segment.Reference(at)))
        {
            ref long known = ref segment.Reference(at);
            if (!counter.IsDeleted && !new NameEntry(_names, known).Is(namespaceIndex, counter.Name.Span))
            {
                throw new InvalidDataException($"The store and the log hold two names with the id {counter.Id:x16}.");
            }

            known |= counter.IsDeleted || (known & NameEntry.RemovedFlag) != 0 ? 0 : NameEntry.StoredFlag;
            return false;
        }

        long flags = counter.IsDeleted ? NameEntry.RemovedFlag : NameEntry.DeclaredFlag | NameEntry.StoredFlag;
        long reference = ((long)namespaceIndex << NameEntry.NamespaceShift) | flags | _names.Of(counter.Name.Span);
        if (at >= 0)
        {
            segment.Reference(at) = reference; // it came again since
            segment.Total(at) = 0;
        }
        else if (counter.IsDeleted || _hot < _capacity)
        {
            Insert(counter.Id, mixed, reference, 0);
        }
        else
        {
            _leaving.Add((mixed, reference));
            Leaves(namespaceIndex, 0);
            if (_leaving.Count >= 1 << 21)
            {
                SortedLeave();
            }
        }

        return !counter.IsDeleted;
    }

    private void SortedLeave()
    {
        _leaving.Sort(static (a, b) => a.Mixed.CompareTo(b.Mixed));
        Span<(ulong Mixed, long Reference)> all = CollectionsMarshal.AsSpan(_leaving);
        for (int from = 0, end; from < all.Length; from = end)
        {
            int run = (int)(all[from].Mixed >> (64 - ColdCounters.RunBits));
            for (end = from + 1; end < all.Length && (int)(all[end].Mixed >> (64 - ColdCounters.RunBits)) == run;)
            {
                end++;
            }

            _cold.Merge(run, all[from..end], null);
        }

        _leaving.Clear();
    }
}
