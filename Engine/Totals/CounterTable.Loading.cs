using System.Runtime.InteropServices;
using System.Text;
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
        int each = (int)(Math.Min(counters, _capacity) >> SegmentBits);
        for (int i = 0; i < _segments.Length; i++)
        {
            // One at a time: the replay names counters meanwhile.
            lock (_changing)
            {
                // Ids are hashes: four times the root of the number expected is more than nearly any segment gets on top of it.
                int slots = TableSegment.SlotsFor(_segments[i].Count + each + (4 * (int)Math.Sqrt(each)));
                if (_segments[i].Slots < slots)
                {
                    Replace(i, _segments[i].With(slots, _mixer));
                }
            }
        }
    }

    /// <summary>Counters as the store has them, but for their totals; at start-up only.</summary>
    /// <param name="namespaceIndex">Whose they are.</param>
    /// <param name="counters">Their names. What a replay deleted is deleted whatever they say (<see cref="AddRemoved"/>).</param>
    /// <returns>How many of them had no entry and exist.</returns>
    /// <exception cref="InvalidDataException">An id belongs to another name.</exception>
    public int LoadNames(ushort namespaceIndex, in StoredNames counters)
    {
        int added = 0;
        byte[] prefix = Encoding.UTF8.GetBytes(counters.Namespace + ":");
        Span<ulong> ids = stackalloc ulong[IdLines.Together];
        for (int from = 0; from < counters.Count; from += ids.Length)
        {
            ids = ids[..Math.Min(ids.Length, counters.Count - from)];
            for (int i = 0; i < ids.Length; i++)
            {
                ids[i] = CounterId.Of(prefix, counters.Name(from + i));
            }

            lock (_changing)
            {
                Prefetch(ids);
                for (int i = 0; i < ids.Length; i++)
                {
                    added += LoadName(namespaceIndex, ids[i], counters.Name(from + i), counters.AreDeleted) ? 1 : 0;
                }
            }
        }

        return added;
    }

    /// <summary>Whether some of the names that the store brought found no room: their totals will not be in memory.</summary>
    public bool HasLeft => _leaving.Count > 0 || _cold.Count > 0;

    /// <summary>Totals as the store has them, or parts of them, which add up; after all names, at start-up only.</summary>
    /// <param name="namespaceIndex">Whose they are.</param>
    /// <param name="ids">The counters.</param>
    /// <param name="totals">Their totals.</param>
    /// <param name="outside">
    /// Gets the counters out of memory that are not at zero; null where there are none (<see cref="HasLeft"/>): an id that has no entry was deleted then.
    /// </param>
    public void LoadTotals(ushort namespaceIndex, ReadOnlySpan<ulong> ids, ReadOnlySpan<long> totals, List<StoredTotal>? outside)
    {
        Span<nint> slots = stackalloc nint[IdLines.Together];
        for (; !ids.IsEmpty; ids = ids[slots.Length..], totals = totals[slots.Length..])
        {
            slots = slots[..Math.Min(slots.Length, ids.Length)];
            lock (_changing)
            {
                using SegmentsSeen segments = Seen();
                segments.FindWithTotals(ids[..slots.Length], slots);
                for (int i = 0; i < slots.Length; i++)
                {
                    if (slots[i] != SegmentsSeen.Nowhere && (IdLines.NumberAt(slots[i]) & NameEntry.UnloadedFlag) == 0)
                    {
                        TableSegment segment = segments.Of(ids[i]);
                        ref long packed = ref segment.Total(segment.SlotOf(slots[i]));
                        packed = (packed + (totals[i] << 1)) | 1; // no checkpoint settles yet: it says that the store has one
                    }
                    else if (outside is not null && totals[i] != 0)
                    {
                        outside.Add(new StoredTotal(ids[i], totals[i]));
                        Leaves(namespaceIndex, totals[i]);
                    }
                }
            }
        }
    }

    /// <summary>
    /// Tells of every counter in memory that the store has a total of, as far as it is not deleted; once, when all are there, before <see cref="FinishLoading"/> and while nobody changes the table.
    /// </summary>
    /// <param name="take">Gets its id, its namespace and its total.</param>
    public void EachLoaded(Action<ulong, ushort, long> take)
    {
        foreach (TableSegment segment in _segments)
        {
            for (int at = 0; at < segment.Slots; at++)
            {
                ref long packed = ref segment.Total(at);
                if ((packed & 1) != 0)
                {
                    packed &= ~1L;
                    long reference = segment.Reference(at);
                    if ((reference & NameEntry.RemovedFlag) == 0)
                    {
                        take(segment.Id(at), new NameEntry(_names, reference).NamespaceIndex, packed >> 1);
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
        EachLoaded(static (_, _, _) => { }); // from here on the mark means a checkpoint that settles
        lock (_changing)
        {
            SortedLeave();
            _isLoading = false;
        }

        Fit(); // which sees who came,
        Fit(); // and that nobody has since
    }

    // True when it had no entry and exists.
    private bool LoadName(ushort namespaceIndex, ulong id, ReadOnlySpan<byte> name, bool isDeleted)
    {
        ulong mixed = _mixer.Mix(id);
        TableSegment segment = Segment(mixed);
        int at = segment.FindMixed(id, mixed);
        if (at >= 0 && !IsGone(segment.Reference(at)))
        {
            ref long known = ref segment.Reference(at);
            if (!isDeleted && !new NameEntry(_names, known).Is(namespaceIndex, name))
            {
                throw new InvalidDataException($"The store and the log hold two names with the id {id:x16}.");
            }

            known |= isDeleted || (known & NameEntry.RemovedFlag) != 0 ? 0 : NameEntry.StoredFlag;
            return false;
        }

        long flags = isDeleted ? NameEntry.RemovedFlag : NameEntry.DeclaredFlag | NameEntry.StoredFlag;
        long reference = ((long)namespaceIndex << NameEntry.NamespaceShift) | flags | _names.Of(name);
        if (at >= 0)
        {
            segment.Reference(at) = reference; // it came again since
            segment.Total(at) = 0;
        }
        else if (isDeleted || _hot < _capacity)
        {
            Insert(id, mixed, reference, 0);
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

        return !isDeleted;
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
