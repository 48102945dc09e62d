using System.Runtime.CompilerServices;

namespace Sketch.Sketches;

/// <content>
/// Batches in three passes over a few ids: hash them all, touch their cache lines, then apply. The misses of one group
/// overlap instead of queueing; the result is the same as one call an id, in order.
/// </content>
public sealed partial class CountMinSketch
{
    private const int Group = 16;

    /// <summary>Adds to many ids, in their order (so that every replica ends in the same state).</summary>
    /// <param name="ids">Any ids; an id may come several times.</param>
    /// <param name="deltas">What to add, one for each id.</param>
    /// <param name="estimates">Receives each id's estimate right after its delta; empty when nobody asks.</param>
    /// <exception cref="ArgumentException">The spans differ in length.</exception>
    [SkipLocalsInit]
    public void Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<uint> deltas, Span<uint> estimates = default)
    {
        ThrowIfLengthsDiffer(ids.Length, deltas.Length);
        if (!estimates.IsEmpty)
            ThrowIfLengthsDiffer(ids.Length, estimates.Length);
        Span<ulong> hashes = stackalloc ulong[Group];
        ref uint origin = ref Origin;
        uint lines = _linesPerHalf;
        SketchKey key = _key;
        uint highest = 0;
        ulong weight = 0;
        while (ids.Length > 0)
        {
            int count = Math.Min(Group, ids.Length);
            Hash(key, ids[..count], hashes);
            if (_prefetch)
                Prefetch(ref origin, lines, hashes[..count]);
            for (int i = 0; i < count; i++)
            {
                uint estimate = Raise(ref origin, lines, hashes[i], deltas[i]);
                hashes[i] = estimate;
                highest = Math.Max(highest, estimate);
                weight += deltas[i];
            }

            if (!estimates.IsEmpty)
            {
                for (int i = 0; i < count; i++)
                    estimates[i] = (uint)hashes[i];
                estimates = estimates[count..];
            }

            ids = ids[count..];
            deltas = deltas[count..];
        }

        if (highest == SaturatedEstimate)
            Volatile.Write(ref _saturated, true);
        Volatile.Write(ref _totalWeight, _totalWeight + weight);
    }

    /// <summary>The estimates of many ids.</summary>
    /// <param name="ids">Any ids.</param>
    /// <param name="estimates">Receives one estimate an id.</param>
    /// <exception cref="ArgumentException">The spans differ in length.</exception>
    [SkipLocalsInit]
    public void Estimate(ReadOnlySpan<ulong> ids, Span<uint> estimates)
    {
        ThrowIfLengthsDiffer(ids.Length, estimates.Length);
        Span<ulong> hashes = stackalloc ulong[Group];
        ref uint origin = ref Origin;
        uint lines = _linesPerHalf;
        SketchKey key = _key;
        while (ids.Length > 0)
        {
            int count = Math.Min(Group, ids.Length);
            Hash(key, ids[..count], hashes);
            if (_prefetch)
                Prefetch(ref origin, lines, hashes[..count]);
            for (int i = 0; i < count; i++)
                estimates[i] = Smallest(ref origin, lines, hashes[i]);
            ids = ids[count..];
            estimates = estimates[count..];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Hash(SketchKey key, ReadOnlySpan<ulong> ids, Span<ulong> hashes)
    {
        for (int i = 0; i < ids.Length; i++)
            hashes[i] = IdHash.Compute(key, ids[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(ref uint origin, uint lines, ReadOnlySpan<ulong> hashes)
    {
        foreach (ulong hash in hashes)
            Prefetch(ref origin, lines, hash);
    }

    private static void ThrowIfLengthsDiffer(int ids, int others)
    {
        if (ids != others)
            throw new ArgumentException($"{ids} ids with {others} values; allowed: as many of one as of the other");
    }
}
