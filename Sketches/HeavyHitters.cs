using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Sketches;

/// <summary>
/// The ids that carry the most weight of a stream, in fixed memory, with certain bounds: SpaceSaving (Metwally, Agrawal and
/// El Abbadi 2005) with the batch purge of FrequentItems (Anderson et al. 2017).
/// <para>
/// An entry holds an upper bound and the offset at the moment it came in. A new id starts at upper = offset + delta: what it
/// may have had before is at most the offset. When the table is full, the offset rises to the median of the upper bounds and
/// every entry not above it goes. So lower = upper - (offset when it came in): ids that were there from the start are exact.
/// An id without an entry weighs at most <see cref="Offset"/>, which is at most 2 / <see cref="Capacity"/> of the total.
/// The purge depends on the values alone: replicas that saw the same increments hold the same entries.
/// </para>
/// <para>One writer at a time; <see cref="CopyTo(Span{HeavyHitter}, out long)"/> may be called by any thread meanwhile.</para>
/// </summary>
public sealed partial class HeavyHitters
{
    /// <summary>The smallest capacity.</summary>
    public const int MinCapacity = 2;

    /// <summary>The largest capacity.</summary>
    public const int MaxCapacity = 1 << 24;

    private const int CountedDifferences = 255;

    // 16 bytes, so that none straddles a cache line. What only new entries write stands beside it.
    private struct Slot
    {
        public ulong Id;
        public long Upper; // 0: the slot is empty
    }

    private readonly Slot[] _slots;
    private readonly long[] _cameInAt; // the offset at that moment, by slot
    private readonly long[] _uppers;
    private readonly Entry[] _kept;
    private readonly int _mask;
    private readonly SketchKey _key;
    private readonly Lock _purging = new();
    private long _offset;
    private long _totalWeight;
    private int _count;
    private bool _isRaised;

    /// <summary>Makes an empty table.</summary>
    /// <param name="capacity">The most entries, 2 to 16,777,216; for the k heaviest take at least 40 k.</param>
    /// <param name="key">Keys the table's hash, so that chosen ids cannot slow it down.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is out of range.</exception>
    public HeavyHitters(int capacity, SketchKey key = default)
    {
        if (capacity is < MinCapacity or > MaxCapacity)
        {
            throw new ArgumentOutOfRangeException(
                nameof(capacity), capacity, $"capacity is {capacity}; allowed {MinCapacity} to {MaxCapacity}");
        }

        Capacity = capacity;
        // At most three quarters full: a purge looks at every slot, so empty ones cost more than longer probes.
        int slots = (int)BitOperations.RoundUpToPowerOf2((uint)((capacity * 4L + 2) / 3));
        _slots = new Slot[slots];
        _cameInAt = new long[slots];
        _uppers = new long[capacity];
        _kept = new Entry[capacity + 1];
        _mask = slots - 1;
        _key = key;
    }

    /// <summary>The most entries.</summary>
    public int Capacity { get; }

    /// <summary>Entries held.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The most that an id without an entry may weigh.</summary>
    public long Offset => Volatile.Read(ref _offset);

    /// <summary>The sum of all deltas.</summary>
    public long TotalWeight => Volatile.Read(ref _totalWeight);

    /// <summary>Adds weight to an id.</summary>
    /// <param name="id">Any id.</param>
    /// <param name="delta">0 or more; the sum of all must stay below 2^63.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delta"/> is negative.</exception>
    public void Add(ulong id, long delta)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(delta);
        if (delta == 0)
            return;
        Volatile.Write(ref _totalWeight, _totalWeight + delta);

        int at = Find(id);
        ref Slot slot = ref SlotAt(at);
        if (slot.Upper != 0)
        {
            Volatile.Write(ref slot.Upper, slot.Upper + delta);
            return;
        }

        if (_count == Capacity)
        {
            Purge();
            at = Find(id);
        }

        Put(at, new Entry(id, _offset + delta, _offset));
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>
    /// Makes an id's upper bound at least what is known of its weight from elsewhere; its lower bound stays. An id that grew since it was raised last may weigh more than its entry, or
    /// than <see cref="Offset"/> without one. Such weights are not in <see cref="TotalWeight"/>, and a table that has them has no state to be saved.
    /// </summary>
    /// <param name="id">Any id.</param>
    /// <param name="upper">The most it may weigh now.</param>
    internal void Raise(ulong id, long upper)
    {
        _isRaised = true;
        int at = Find(id);
        ref Slot slot = ref SlotAt(at);
        if (slot.Upper != 0)
        {
            if (upper > slot.Upper)
            {
                // A reader between the two takes the lower bound for less than it is.
                Volatile.Write(ref _cameInAt[at], _cameInAt[at] + upper - slot.Upper);
                Volatile.Write(ref slot.Upper, upper);
            }

            return;
        }

        if (_count == Capacity && upper > _offset)
        {
            Purge();
            at = Find(id);
        }

        if (upper > _offset)
        {
            Put(at, new Entry(id, upper, upper));
            Volatile.Write(ref _count, _count + 1);
        }
    }

    // A reader that meets this slot half written must take it for empty: the upper bound is written last.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put(int at, in Entry entry)
    {
        ref Slot slot = ref SlotAt(at);
        slot.Id = entry.Id;
        _cameInAt[at] = entry.CameInAt;
        Volatile.Write(ref slot.Upper, entry.Upper);
    }

    /// <summary>The bounds of one id's weight: of its entry, or [0, <see cref="Offset"/>]. For the writer's thread.</summary>
    /// <param name="id">Any id.</param>
    public HeavyHitter Bounds(ulong id)
    {
        int at = Find(id);
        long upper = SlotAt(at).Upper;
        return upper == 0 ? new HeavyHitter(id, 0, _offset) : new HeavyHitter(id, upper - _cameInAt[at], upper);
    }

    /// <summary>
    /// Copies the entries, in no particular order, while the writer may go on. Each entry's bounds are true of some moment
    /// between the call and its return, and every id that had an entry when the call began is among them. A purge waits for
    /// a copy in progress (microseconds), other additions do not.
    /// </summary>
    /// <param name="into">At least <see cref="Capacity"/> long.</param>
    /// <param name="offset">The most that an id which is not among the entries weighed when the call began.</param>
    /// <returns>How many were copied.</returns>
    /// <exception cref="ArgumentException"><paramref name="into"/> is too short.</exception>
    public int CopyTo(Span<HeavyHitter> into, out long offset)
    {
        if (into.Length < Capacity)
            throw new ArgumentException($"into is {into.Length} long; allowed {Capacity} (the capacity) or more", nameof(into));

        lock (_purging)
        {
            int copied = 0;
            for (int at = 0; at < _slots.Length; at++)
            {
                long upper = Volatile.Read(ref _slots[at].Upper);
                if (upper != 0)
                    into[copied++] = new HeavyHitter(_slots[at].Id, Math.Max(0, upper - Volatile.Read(ref _cameInAt[at])), upper);
            }

            offset = _offset;
            return copied;
        }
    }

    /// <inheritdoc cref="CopyTo(Span{HeavyHitter}, out long)"/>
    public int CopyTo(Span<HeavyHitter> into) => CopyTo(into, out _);

    /// <summary>Empties the table, to be used again.</summary>
    public void Clear()
    {
        lock (_purging)
        {
            Array.Clear(_slots);
            _isRaised = false;
            Volatile.Write(ref _count, 0);
            Volatile.Write(ref _offset, 0);
            Volatile.Write(ref _totalWeight, 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Slot SlotAt(int at) => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_slots), (nint)(uint)at);

    // The slot of the id, or the empty one where it would go. There always is one: the table is never full.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(ulong id)
    {
        int at = (int)IdHash.Compute(_key, id) & _mask;
        while (SlotAt(at) is { Upper: not 0 } slot && slot.Id != id)
            at = (at + 1) & _mask;
        return at;
    }

    private void Purge()
    {
        lock (_purging)
        {
            long median = MedianUpper();
            Volatile.Write(ref _offset, median);
            Volatile.Write(ref _count, KeepAbove(median));
        }
    }

    /// <summary>The middle of all upper bounds: every replica finds the same one, whatever its key.</summary>
    private long MedianUpper()
    {
        if (Avx2.IsSupported && LowMedian() is var low and not 0)
            return low;

        // Most bounds lie close above the offset: counting how many of each is one pass, where selecting among them takes many.
        // Which places are empty is random, so nothing here branches on it: they count as far away, or as 0 while the offset is.
        // Two counters for each, so that equal neighbours do not wait for each other.
        Span<int> histogram = stackalloc int[2 * (CountedDifferences + 1)];
        histogram.Clear();
        long offset = _offset;
        for (int i = 0; i < _slots.Length; i++)
            histogram[(int)Math.Min((ulong)(_slots[i].Upper - offset), CountedDifferences) * 2 + (i & 1)]++;

        int rank = (_count - 1) / 2, below = 0;
        for (int difference = 1; difference < CountedDifferences; difference++)
        {
            below += histogram[2 * difference] + histogram[2 * difference + 1];
            if (below > rank)
                return offset + difference;
        }

        int count = 0;
        foreach (ref Slot slot in _slots.AsSpan())
        {
            if (slot.Upper != 0)
                _uppers[count++] = slot.Upper;
        }

        return Selection.Smallest(_uppers.AsSpan(0, count), rank);
    }

    /// <summary>The median when it is at most three above the offset, as it nearly always is; else 0.</summary>
    private long LowMedian()
    {
        Vector256<long> one = Vector256.Create(_offset + 1), two = Vector256.Create(_offset + 2), three = Vector256.Create(_offset + 3);
        Vector256<long> aboveOne = default, aboveTwo = default, aboveThree = default;
        ReadOnlySpan<Vector256<long>> pairs = MemoryMarshal.Cast<Slot, Vector256<long>>(_slots);
        for (int i = 0; i + 1 < pairs.Length; i += 2)
        {
            Vector256<long> uppers = Avx2.UnpackHigh(pairs[i], pairs[i + 1]);
            aboveOne -= Vector256.GreaterThan(uppers, one);
            aboveTwo -= Vector256.GreaterThan(uppers, two);
            aboveThree -= Vector256.GreaterThan(uppers, three);
        }

        // Half of the entries, rounded down, may lie above their median.
        long half = _count / 2;
        return Vector256.Sum(aboveOne) <= half ? _offset + 1
            : Vector256.Sum(aboveTwo) <= half ? _offset + 2
            : Vector256.Sum(aboveThree) <= half ? _offset + 3 : 0;
    }

    /// <summary>Removes every entry not above a bound; returns how many are left.</summary>
    private int KeepAbove(long bound)
    {
        // Without a branch again; those that stay come in the table's order, so putting them back touches it from front to back.
        int kept = 0;
        for (int at = 0; at < _slots.Length; at++)
        {
            Slot slot = _slots[at];
            _kept[kept] = new Entry(slot.Id, slot.Upper, _cameInAt[at]);
            kept += slot.Upper > bound ? 1 : 0;
        }

        Array.Clear(_slots);
        foreach (ref readonly Entry entry in _kept.AsSpan(0, kept))
            Put(Find(entry.Id), entry);
        return kept;
    }

    /// <param name="Id">The id.</param>
    /// <param name="Upper">Its upper bound.</param>
    /// <param name="CameInAt">The offset when it came in.</param>
    private readonly record struct Entry(ulong Id, long Upper, long CameInAt);
}
