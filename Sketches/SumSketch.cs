using System.Runtime.CompilerServices;

namespace Sketch.Sketches;

/// <summary>What a <see cref="SumSketch"/> knows of an id: truth = Exact + p - n with 0 &lt;= p &lt;= Positive and 0 &lt;= n &lt;= Negative.</summary>
/// <param name="Exact">What the hot table counted exactly.</param>
/// <param name="Positive">The count-min estimate of its positive deltas.</param>
/// <param name="Negative">The count-min estimate of its negative deltas' absolute values.</param>
/// <param name="Saturated">True when an estimate is at its ceiling and bounds nothing.</param>
public readonly record struct SumParts(long Exact, uint Positive, uint Negative, bool Saturated);

/// <summary>
/// Sums of signed 64-bit deltas by id: a count-min sketch for what is added, a second one, made when first needed, for what is
/// taken away (a conservatively updated sketch cannot be decremented), and an exact table for the few heaviest ids.
/// <para>
/// An id whose estimate reaches 2^20, or that gets a delta of 2^24 or more, moves to the table while it has room: its estimate
/// stays as it was, later deltas are exact. So heavy ids stop growing in the sketch, where they would be everybody's error,
/// and cells stay far from their ceiling. Which ids move depends on the increments alone: replicas agree.
/// </para>
/// <para>One writer at a time, any number of readers meanwhile; they see at least what was there when their read began.</para>
/// </summary>
/// <param name="memoryBytes">Of each of the two sketches, 4 KiB to 1 GiB.</param>
/// <param name="key">Keys the hashes.</param>
/// <param name="hotCapacity">Ids in the exact table, 0 to 1,048,576.</param>
public sealed class SumSketch(long memoryBytes, SketchKey key, int hotCapacity = 1_024)
{
    /// <summary>An estimate that makes an id hot.</summary>
    public const uint HotEstimate = 1 << 20;

    /// <summary>A delta, either way, that makes an id hot.</summary>
    public const long HotDelta = 1 << 24;

    private readonly HotTable _hot = new(hotCapacity);
    private SketchKey _key = key;
    private CountMinSketch? _negative;

    /// <summary>The sketch of positive deltas: ask ghosts of it for the error of <see cref="SumParts.Positive"/>.</summary>
    public CountMinSketch Positive { get; } = new(memoryBytes, key);

    /// <summary>The sketch of negative deltas; null while there were none.</summary>
    public CountMinSketch? Negative => Volatile.Read(ref _negative);

    /// <summary>Ids in the exact table.</summary>
    public int HotCount => _hot.Count;

    /// <summary>Memory of the cells now, in bytes.</summary>
    public long MemoryBytes => Positive.MemoryBytes + (Negative?.MemoryBytes ?? 0);

    /// <summary>Adds to an id.</summary>
    /// <param name="id">Any id.</param>
    /// <param name="delta">Any; an id's exact part wraps only beyond 64 bits.</param>
    public void Add(ulong id, long delta) => Add(id, IdHash.Compute(_key, id), delta);

    /// <summary>Adds to many ids, in their order: the same as one call an id, at about half the time.</summary>
    /// <param name="ids">Any ids.</param>
    /// <param name="deltas">One for each id.</param>
    /// <exception cref="ArgumentException">The spans differ in length.</exception>
    [SkipLocalsInit]
    public void Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas)
    {
        if (ids.Length != deltas.Length)
            throw new ArgumentException($"{ids.Length} ids with {deltas.Length} deltas; allowed: as many of one as of the other");
        // As in CountMinSketch: the lines of one further on are asked for with each that is applied.
        Span<ulong> hashes = stackalloc ulong[CountMinSketch.Ahead];
        int asked = Math.Min(hashes.Length, ids.Length);
        for (int i = 0; i < asked; i++)
            hashes[i] = Ask(ids[i]);
        for (int i = 0; i < ids.Length; i++)
        {
            ulong hash = hashes[i & (CountMinSketch.Ahead - 1)];
            if (asked < ids.Length)
                hashes[i & (CountMinSketch.Ahead - 1)] = Ask(ids[asked++]);
            Add(ids[i], hash, deltas[i]);
        }
    }

    private ulong Ask(ulong id)
    {
        ulong hash = IdHash.Compute(_key, id);
        Positive.Prefetch(hash);
        _negative?.Prefetch(hash);
        return hash;
    }

    /// <summary>What is known of an id.</summary>
    /// <param name="id">Any id.</param>
    public SumParts Read(ulong id)
    {
        ulong hash = IdHash.Compute(_key, id);
        if (!_hot.TryRead(id, hash, out long exact, out uint positive, out uint negative))
        {
            // Not hot when looked for; should it move in this moment, the sketches still hold what they held.
            positive = Positive.EstimateHashed(hash);
            negative = Negative?.EstimateHashed(hash) ?? 0;
        }

        bool saturated = positive == CountMinSketch.SaturatedEstimate || negative == CountMinSketch.SaturatedEstimate;
        return new SumParts(exact, positive, negative, saturated);
    }

    /// <summary>Empties it under another key. No reader may hold it.</summary>
    /// <param name="newKey">Keys the hashes from now on.</param>
    public void Clear(SketchKey newKey)
    {
        _key = newKey;
        Positive.Clear(newKey);
        _negative?.Clear(newKey);
        _hot.Clear();
    }

    private void Add(ulong id, ulong hash, long delta)
    {
        if (_hot.TryAdd(id, hash, delta))
            return;
        if (delta is >= HotDelta or <= -HotDelta)
        {
            if (TryMove(id, hash))
                _hot.TryAdd(id, hash, delta);
            else
                AddLarge(hash, delta);
            return;
        }

        uint estimate = delta >= 0 ? Positive.AddHashed(hash, (uint)delta) : NegativeMade().AddHashed(hash, (uint)-delta);
        if (estimate >= HotEstimate)
            TryMove(id, hash);
    }

    private bool TryMove(ulong id, ulong hash) =>
        _hot.TryMove(id, hash, Positive.EstimateHashed(hash), _negative?.EstimateHashed(hash) ?? 0);

    // The table is full: the sketches take a large delta in pieces, and saturate rather than lie.
    private void AddLarge(ulong hash, long delta)
    {
        CountMinSketch sketch = delta >= 0 ? Positive : NegativeMade();
        for (ulong left = delta >= 0 ? (ulong)delta : (ulong)-(delta + 1) + 1; left > 0;)
        {
            uint piece = (uint)Math.Min(left, uint.MaxValue);
            if (sketch.AddHashed(hash, piece) == CountMinSketch.SaturatedEstimate)
                break;
            left -= piece;
        }
    }

    private CountMinSketch NegativeMade()
    {
        if (_negative is null)
            Volatile.Write(ref _negative, new CountMinSketch(memoryBytes, _key));
        return _negative!;
    }
}
