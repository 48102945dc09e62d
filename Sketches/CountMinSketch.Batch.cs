using System.Runtime.CompilerServices;

namespace Sketch.Sketches;

/// <content>
/// Batches: with each id that is applied, the cache lines of one further on are asked for, so that misses overlap with each other and with work. One at a time, since a processor that
/// has no room for another miss need not do what it was merely advised to. The result is the same as one call an id, in order.
/// </content>
public sealed partial class CountMinSketch
{
    /// <summary>How many ids ahead cache lines are asked for: more than a core has on their way at a time.</summary>
    internal const int Ahead = 64;

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
        Span<ulong> hashes = stackalloc ulong[Ahead];
        ref uint origin = ref Origin;
        uint lines = _linesPerHalf;
        SketchKey key = _key;
        uint highest = 0;
        ulong weight = 0;
        int asked = Math.Min(Ahead, ids.Length);
        for (int i = 0; i < asked; i++)
            hashes[i] = Ask(key, ref origin, lines, ids[i]);
        for (int i = 0; i < ids.Length; i++)
        {
            ulong hash = hashes[i & (Ahead - 1)];
            if (asked < ids.Length)
                hashes[i & (Ahead - 1)] = Ask(key, ref origin, lines, ids[asked++]);
            uint estimate = Raise(ref origin, lines, hash, deltas[i]);
            if (!estimates.IsEmpty)
                estimates[i] = estimate;
            highest = Math.Max(highest, estimate);
            weight += deltas[i];
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
        Span<ulong> hashes = stackalloc ulong[Ahead];
        ref uint origin = ref Origin;
        uint lines = _linesPerHalf;
        SketchKey key = _key;
        int asked = Math.Min(Ahead, ids.Length);
        for (int i = 0; i < asked; i++)
            hashes[i] = Ask(key, ref origin, lines, ids[i]);
        for (int i = 0; i < ids.Length; i++)
        {
            ulong hash = hashes[i & (Ahead - 1)];
            if (asked < ids.Length)
                hashes[i & (Ahead - 1)] = Ask(key, ref origin, lines, ids[asked++]);
            estimates[i] = Smallest(ref origin, lines, hash);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Ask(SketchKey key, ref uint origin, uint lines, ulong id)
    {
        ulong hash = IdHash.Compute(key, id);
        if (_prefetch)
            Prefetch(ref origin, lines, hash);
        return hash;
    }

    /// <summary>Asks for the cache lines of an id that is about to be added, by its hash under the sketch's key.</summary>
    internal void Prefetch(ulong hash)
    {
        if (_prefetch)
            Prefetch(ref Origin, _linesPerHalf, hash);
    }

    private static void ThrowIfLengthsDiffer(int ids, int others)
    {
        if (ids != others)
            throw new ArgumentException($"{ids} ids with {others} values; allowed: as many of one as of the other");
    }
}
