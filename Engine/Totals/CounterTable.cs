using Sketch.Engine.Catalogue;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Totals;

/// <summary>
/// Every counter, by id. Hot ones take 24 bytes a slot: id, what is known of the name, and the exact total; at most so many of them as the operator's memory holds. Cold
/// ones, whose name and total the store has, take 10 bytes: that they exist (<see cref="ColdCounters"/>). Look-ups take no lock; whoever changes anything takes one,
/// for microseconds.
/// </summary>
internal sealed partial class CounterTable
{
    /// <summary>There are two to the power of this many segments: the upper bits of a mixed id say which.</summary>
    public const int SegmentBits = 5;

    private const int BulkRows = 1_024;

    private readonly Lock _changing = new();
    private readonly ColdCounters _cold = new();
    private readonly IdMixer _mixer;
    private readonly NameHash _names;
    private readonly long _capacity;

    // Copied on write: whoever looks up many ids reads it once, and keeps the segments that it looks at alive by keeping the array.
    private TableSegment[] _segments = new TableSegment[1 << SegmentBits];
    private long _hot;

    /// <summary>Makes an empty table.</summary>
    /// <param name="secret">The deployment's secret.</param>
    /// <param name="memoryBytes">What hot counters may take; those that can't be forgotten yet come on top.</param>
    public CounterTable(byte[] secret, long memoryBytes)
    {
        _mixer = new IdMixer(secret);
        _names = new NameHash(secret);
        _capacity = memoryBytes / 24 * 4 / 5;
        for (int i = 0; i < _segments.Length; i++)
        {
            _segments[i] = new TableSegment(TableSegment.SlotsFor(0));
        }
    }

    /// <summary>So many counters may be in memory, beside those that must.</summary>
    public long Capacity => _capacity;

    /// <summary>Counters in memory.</summary>
    public long Hot => Volatile.Read(ref _hot);

    /// <summary>Counters of which only the existence is in memory; some have come back since.</summary>
    public long Cold => _cold.Count;

    /// <summary>Memory of all of it, in bytes.</summary>
    public long MemoryBytes => _segments.Sum(s => s.MemoryBytes) + _cold.MemoryBytes;

    /// <summary>Finds an id.</summary>
    public bool TryGet(ulong id, out NameEntry entry)
    {
        long reference = Known(id, _mixer.Mix(id));
        bool isKnown = reference != 0 && !IsGone(reference);
        entry = isKnown ? new NameEntry(_names, reference) : default;
        return isKnown;
    }

    /// <summary>Whether the id's counter was deleted, as far as that is remembered, and did not come again.</summary>
    public bool IsRemoved(ulong id) => (Known(id, _mixer.Mix(id)) & NameEntry.RemovedFlag) != 0;

    /// <summary>Finds many ids at once: what <see cref="NameEntry"/> calls a reference for each, zero for those that were never there.</summary>
    public void Find(ReadOnlySpan<ulong> ids, Span<long> references)
    {
        using SegmentsSeen segments = Seen();
        for (int together; !ids.IsEmpty; ids = ids[together..], references = references[together..])
        {
            together = Math.Min(IdLines.Together, ids.Length);
            segments.Find(ids[..together], references[..together]);
            // No id is zero: that is what batches put in place of a name that they skip, and what a free slot holds.
            for (int i = ids[..together].IndexOf(0ul); i >= 0 && i < together; i++)
            {
                references[i] = ids[i] == 0 ? 0 : references[i];
            }

            if (_cold.Count > 0)
            {
                FindCold(ids[..together], references[..together]);
            }
        }
    }

    /// <summary>Asks for what is known of ids that are about to be looked at one by one, but for their totals, so that their misses overlap.</summary>
    /// <param name="ids">At most <see cref="IdLines.Together"/>.</param>
    public void Prefetch(ReadOnlySpan<ulong> ids)
    {
        using SegmentsSeen segments = Seen();
        segments.Find(ids, stackalloc long[IdLines.Together]);
    }

    // Those that are not hot, and what nobody knows.
    private void FindCold(ReadOnlySpan<ulong> ids, Span<long> references)
    {
        Span<ulong> mixed = stackalloc ulong[IdLines.Together];
        Span<byte> missing = stackalloc byte[IdLines.Together];
        int count = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            if (references[i] == 0)
            {
                mixed[count] = _mixer.Mix(ids[i]);
                missing[count++] = (byte)i;
            }
        }

        Span<long> found = stackalloc long[IdLines.Together];
        _cold.Find(mixed[..count], found);
        for (int i = 0; i < count; i++)
        {
            references[missing[i]] = found[i];
        }
    }

    /// <summary>Finds an id, or adds it with this name; the caller asks what is returned whether it is of its own name.</summary>
    public NameEntry GetOrAdd(ulong id, ushort namespaceIndex, ReadOnlySpan<byte> name, out bool added)
    {
        ArgumentOutOfRangeException.ThrowIfZero(id);
        ulong mixed = _mixer.Mix(id);
        lock (_changing)
        {
            long known = Known(id, mixed);
            added = known == 0 || IsGone(known);
            if (!added)
            {
                return new NameEntry(_names, known);
            }

            long reference = ((long)namespaceIndex << NameEntry.NamespaceShift) | _names.Of(name);
            if (known != 0)
            {
                Slot(id, mixed) = reference;
            }
            else
            {
                Insert(id, mixed, reference, 0);
            }

            return new NameEntry(_names, reference);
        }
    }

    /// <summary>Marks an id that has an entry: the log holds it, or it has a definition of its own.</summary>
    public void Mark(ulong id, bool defined) =>
        Change(id, r => (r & ~NameEntry.RemovedFlag) | NameEntry.DeclaredFlag | (defined ? NameEntry.DefinedFlag : 0));

    /// <summary>Marks an id that has an entry: its counter was deleted.</summary>
    /// <param name="id">The id.</param>
    /// <param name="isStored">Whether the store knows that already: then the id is free, and what the store says of it was there later.</param>
    public void MarkRemoved(ulong id, bool isStored) => Change(
        id,
        r => (r & ~(NameEntry.DeclaredFlag | NameEntry.DefinedFlag | NameEntry.StoredFlag)) | NameEntry.RemovedFlag | (isStored ? NameEntry.StoredFlag : 0));

    private static bool IsGone(long reference) => (reference & (NameEntry.RemovedFlag | NameEntry.StoredFlag)) == (NameEntry.RemovedFlag | NameEntry.StoredFlag);

    private TableSegment Segment(ulong mixed) => Volatile.Read(ref _segments)[mixed >> (64 - SegmentBits)];

    private SegmentsSeen Seen() => new(Volatile.Read(ref _segments), _mixer);

    // With the lock held.
    private void Replace(int number, TableSegment segment)
    {
        TableSegment[] segments = [.. _segments];
        segments[number] = segment;
        Volatile.Write(ref _segments, segments);
    }

    // Hot first: what it says is newer. A counter that is being put out of memory is put among the cold ones first, so that it is never in neither.
    private long Known(ulong id, ulong mixed)
    {
        TableSegment segment = Segment(mixed);
        int at = segment.FindMixed(id, mixed);
        return at >= 0 ? Volatile.Read(ref segment.Reference(at)) : _cold.Find(mixed);
    }

    // The reference of an id that is known; a cold one comes in without its total. With the lock held.
    private ref long Slot(ulong id, ulong mixed)
    {
        int at = Segment(mixed).FindMixed(id, mixed);
        if (at < 0)
        {
            long known = _cold.Find(mixed);
            ArgumentOutOfRangeException.ThrowIfZero(known, nameof(id));
            at = Insert(id, mixed, known, 0);
        }

        return ref Segment(mixed).Reference(at);
    }

    private void Change(ulong id, Func<long, long> change)
    {
        lock (_changing)
        {
            ref long reference = ref Slot(id, _mixer.Mix(id));
            Volatile.Write(ref reference, change(reference));
        }
    }

    private int Insert(ulong id, ulong mixed, long reference, long packed)
    {
        TableSegment segment = Segment(mixed);
        if (segment.IsFull)
        {
            // Nothing that is gone stays, but where a cold entry would then come to life again. Who comes among many leaves room for more, as long as there is enough for all.
            Predicate<long>? stays = _cold.Count == 0 ? r => !IsGone(r) : null;
            TableSegment grown = segment.With(TableSegment.SlotsFor(_hot < _capacity / 4 * 3 ? segment.Count / 4 * 5 : segment.Count), _mixer, stays);
            _hot += grown.Count - segment.Count;
            Replace((int)(mixed >> (64 - SegmentBits)), grown);
            segment = grown;
        }

        Volatile.Write(ref _hot, _hot + 1);
        return segment.Insert(id, mixed, reference, packed);
    }
}
