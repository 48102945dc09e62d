using System.Runtime.InteropServices;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;

namespace Sketch.Engine.Totals;

/// <content>
/// What comes into memory and what leaves it. CLOCK: a hand goes over the segments, and what was not used for three rounds leaves. Only what the store has whole may leave. The same log and reads in the same order make the same choices.
/// </content>
internal sealed partial class CounterTable
{
    private const long CantLeave = NameEntry.DefinedFlag | NameEntry.RemovedFlag | NameEntry.PinnedFlag | NameEntry.ExpiringFlag;

    // So many until everything that nobody uses has left by fair shares of all segments; who is left over then leaves wherever it is.
    private const int FairRounds = 5;

    // Any odd number without a pattern: the product's upper bits depend on all of the other factor's.
    private const ulong Scatter = 0x9E3779B97F4A7C15;

    private readonly List<(ulong Mixed, long Reference)> _leaving = [];
    private readonly int[] _fitted = new int[1 << SegmentBits];
    private int _hand;
    private long _evicted;
    private long _loaded;

    /// <summary>How many left memory.</summary>
    public long Evicted => Volatile.Read(ref _evicted);

    /// <summary>How many came back.</summary>
    public long Loaded => Volatile.Read(ref _loaded);

    /// <summary>Told of whatever leaves: namespace and total.</summary>
    public Action<ushort, long> Leaves { get; set; } = static (_, _) => { };

    /// <summary>Gives back the room that was left for names to come, once few have come since the last time; between checkpoints.</summary>
    public void Fit()
    {
        for (int i = 0; i < _segments.Length; i++)
        {
            // A segment at a time: new names wait for the lock.
            lock (_changing)
            {
                TableSegment segment = _segments[i];
                int slots = TableSegment.SlotsFor(segment.Count);
                if (segment.Count - _fitted[i] <= segment.Count / 64 && segment.Slots > slots + (slots / 32))
                {
                    Replace(i, segment.With(slots, _mixer));
                }

                _fitted[i] = segment.Count;
            }
        }
    }

    /// <summary>The window that named counters, or deleted them, is stored.</summary>
    public void Stored(IReadOnlyList<NamedCounter> names)
    {
        for (int from = 0; from < names.Count; from += BulkRows)
        {
            lock (_changing)
            {
                for (int i = from; i < Math.Min(names.Count, from + BulkRows); i++)
                {
                    Stored(names[i]);
                }
            }
        }
    }

    /// <summary>Counters that were read from the store come back, if they are cold still and the totals those of the newest checkpoint.</summary>
    /// <param name="totals">Totals by id.</param>
    /// <param name="epoch">The checkpoint that they are of.</param>
    /// <param name="wereCounted">Whether the last window counted them: they stay as long as those in memory that it counted.</param>
    public void Return(IReadOnlyDictionary<ulong, long> totals, long epoch, bool wereCounted)
    {
        lock (_changing)
        {
            if (_epoch != epoch || _settling is not null)
            {
                return;
            }

            long used = wereCounted ? NameEntry.UsedMask : 1L << NameEntry.UsedShift;
            foreach ((ulong id, long total) in totals)
            {
                ulong mixed = _mixer.Mix(id);
                long known = Known(id, mixed);
                if ((known & NameEntry.UnloadedFlag) == 0)
                {
                    continue;
                }

                ref long reference = ref Slot(id, mixed);
                TableSegment segment = Segment(mixed);
                Volatile.Write(ref segment.Total(segment.FindMixed(id, mixed)), total << 1);
                Volatile.Write(ref reference, (reference & ~NameEntry.UnloadedFlag) | used); // last: who sees it loaded sees its total
                Volatile.Write(ref _loaded, _loaded + 1);
            }
        }
    }

    /// <summary>Puts out of memory what is clearly too much; after reads brought counters in.</summary>
    public void Trim()
    {
        if (Hot > _capacity + (_capacity / 64) + BulkRows)
        {
            Evict();
        }
    }

    /// <summary>Counters that must stay, and those that need not any more.</summary>
    public void Pin(IEnumerable<ulong> ids, bool stays)
    {
        lock (_changing)
        {
            foreach (ulong id in ids)
            {
                ulong mixed = _mixer.Mix(id);
                TableSegment segment = Segment(mixed);
                int at = segment.FindMixed(id, mixed);
                if (at >= 0)
                {
                    ref long reference = ref segment.Reference(at);
                    Volatile.Write(ref reference, stays ? reference | NameEntry.PinnedFlag : reference & ~NameEntry.PinnedFlag);
                }
            }
        }
    }

    /// <summary>Counters that may be about to go, and those that are not any more. What is out of memory comes in, since only there it can be seen.</summary>
    public void MarkExpiring(IEnumerable<ulong> ids, bool isExpiring)
    {
        lock (_changing)
        {
            foreach (ulong id in ids)
            {
                ulong mixed = _mixer.Mix(id);
                if (Known(id, mixed) is not 0 and var known && !IsGone(known))
                {
                    ref long reference = ref Slot(id, mixed);
                    Volatile.Write(ref reference, isExpiring ? reference | NameEntry.ExpiringFlag : reference & ~NameEntry.ExpiringFlag);
                }
            }
        }
    }

    /// <summary>Puts out of memory what is too much, as long as there is anything that may leave; between checkpoints.</summary>
    public void Evict()
    {
        bool isGoing = true;
        for (int round = 0; round < 2 * FairRounds && isGoing; round++)
        {
            isGoing = false;
            for (int turn = 0; turn < _segments.Length && Hot > _capacity; turn++)
            {
                // A segment at a time: new names wait for the lock.
                lock (_changing)
                {
                    isGoing |= EvictTurn(round < FairRounds ? _segments.Length - turn : 1);
                }
            }
        }
    }

    private void Stored(NamedCounter counter)
    {
        ulong mixed = _mixer.Mix(counter.Id);
        TableSegment segment = Segment(mixed);
        int at = segment.FindMixed(counter.Id, mixed);
        if (at < 0)
        {
            return;
        }

        ref long reference = ref segment.Reference(at);
        bool isRemoved = (reference & NameEntry.RemovedFlag) != 0;
        if (isRemoved != counter.Deleted || (reference & (NameEntry.RemovedFlag | NameEntry.DeclaredFlag)) == 0)
        {
            return; // it was made again, or deleted, since: a later window says so
        }

        if (isRemoved && (reference & NameEntry.UnloadedFlag) != 0)
        {
            segment.Total(at) = 0; // what was left of it was taken away by this window
            Volatile.Write(ref reference, reference & ~NameEntry.UnloadedFlag);
        }

        Volatile.Write(ref reference, reference | NameEntry.StoredFlag);
    }

    // True when a counter left or grew older: another round may find more to put out.
    private bool EvictTurn(int segmentsToCome)
    {
        if (_hot <= _capacity || _settling is not null)
        {
            return false;
        }

        // What is too much is shared among the segments; a sixteenth of each at least, so that the next time is not at once.
        bool isGoing = EvictFrom(_hand, (int)Math.Max((_hot - _capacity) / segmentsToCome, _segments[_hand].Count / 16) + 1);
        _hand = (_hand + 1) % _segments.Length;
        return isGoing;
    }

    private bool EvictFrom(int number, int most)
    {
        TableSegment segment = _segments[number];
        _leaving.Clear();
        bool anyGone = false;
        bool anyOlder = false;
        for (int at = 0; at < segment.Slots; at++)
        {
            ulong id = segment.Id(at);
            ref long reference = ref segment.Reference(at);
            anyGone |= IsGone(reference);
            if (id == 0 || !MayLeave(reference))
            {
                continue;
            }

            if ((reference & NameEntry.UsedMask) == 0)
            {
                _leaving.Add((_mixer.Mix(id), reference));
            }
            else
            {
                Volatile.Write(ref reference, reference - (1L << NameEntry.UsedShift)); // one round older
                anyOlder = true;
            }
        }

        if (_leaving.Count > most)
        {
            // From all over the segment: were they neighbours, those who stay would crowd the rest of it.
            _leaving.Sort(static (a, b) => (a.Mixed * Scatter).CompareTo(b.Mixed * Scatter));
            _leaving.RemoveRange(most, _leaving.Count - most);
        }

        _leaving.Sort(static (a, b) => a.Mixed.CompareTo(b.Mixed));
        if (_leaving.Count > 0 || anyGone)
        {
            Leave(number, segment);
        }

        bool isGoing = anyOlder || _leaving.Count > 0;
        _leaving.Clear();
        return isGoing;
    }

    private void Leave(int number, TableSegment segment)
    {
        foreach ((ulong mixed, long reference) in _leaving)
        {
            if ((reference & NameEntry.UnloadedFlag) == 0)
            {
                Leaves((ushort)(reference >>> NameEntry.NamespaceShift), segment.Total(segment.FindMixed(_mixer.Unmix(mixed), mixed)) >> 1);
            }
        }

        // Among the cold ones first, then out of the hot ones: a reader finds it in one of them.
        HashSet<ulong> gone = [];
        for (int at = 0; at < segment.Slots; at++)
        {
            if (segment.Id(at) is not 0 and ulong id && IsGone(segment.Reference(at)))
            {
                gone.Add(_mixer.Mix(id));
            }
        }

        MergeCold(number, gone);
        HashSet<ulong> leaving = [.. _leaving.Select(l => l.Mixed)];
        TableSegment into = new(TableSegment.SlotsFor(segment.Count - _leaving.Count - gone.Count));
        for (int at = 0; at < segment.Slots; at++)
        {
            (ulong id, long reference) = (segment.Id(at), segment.Reference(at));
            if (id != 0 && !IsGone(reference) && _mixer.Mix(id) is var mixed && !leaving.Contains(mixed))
            {
                into.Insert(id, mixed, reference, segment.Total(at));
            }
        }

        Volatile.Write(ref _hot, _hot + into.Count - segment.Count);
        Volatile.Write(ref _evicted, _evicted + _leaving.Count);
        Replace(number, into);
    }

    private void MergeCold(int number, HashSet<ulong> gone)
    {
        Predicate<ulong>? drops = gone.Count == 0 ? null : gone.Contains;
        ReadOnlySpan<(ulong Mixed, long Reference)> rest = CollectionsMarshal.AsSpan(_leaving);
        for (int run = number * ColdCounters.RunsOfSegment; run < (number + 1) * ColdCounters.RunsOfSegment; run++)
        {
            int end = 0;
            while (end < rest.Length && (int)(rest[end].Mixed >> (64 - ColdCounters.RunBits)) == run)
            {
                end++;
            }

            if (end > 0 || (drops is not null && !_cold.IsEmpty(run)))
            {
                _cold.Merge(run, rest[..end], drops);
            }

            rest = rest[end..];
        }
    }

    private static bool MayLeave(long reference) => (reference & (CantLeave | NameEntry.StoredFlag)) == NameEntry.StoredFlag;
}
