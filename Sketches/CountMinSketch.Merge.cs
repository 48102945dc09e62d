using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sketch.Sketches;

/// <content>
/// Merging: the cell-wise sum of two sketches is never below the sum of their estimates, so it stays an upper bound. It is not
/// the sketch that conservative update would have made of both streams, and there is no subtraction: bounds for a merged
/// sketch come from ghosts asked of the merged sketch.
/// </content>
public sealed partial class CountMinSketch
{
    /// <summary>Adds another sketch's cells to this one's, saturating. The other must not be written meanwhile.</summary>
    /// <param name="other">A sketch of the same key and size.</param>
    /// <exception cref="ArgumentException">Another key or size.</exception>
    public void Merge(CountMinSketch other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other._key != _key)
            throw new ArgumentException($"keyId is {other.KeyId:x16}; allowed {KeyId:x16}, that of the sketch merged into", nameof(other));
        if (other.MemoryBytes != MemoryBytes)
            throw new ArgumentException($"memoryBytes is {other.MemoryBytes}; allowed {MemoryBytes}, that of the sketch merged into", nameof(other));
        if (CellKernels.AddSaturating(Cells, other.Cells) == SaturatedEstimate || other.Saturated)
            Volatile.Write(ref _saturated, true);
        Volatile.Write(ref _totalWeight, _totalWeight + other.TotalWeight);
    }
}

/// <summary>Loops over cells: vectors where the machine has them, the scalar reference beside them finishes the tail.</summary>
internal static class CellKernels
{
    /// <summary>into[i] = min(into[i] + from[i], uint.MaxValue); returns the largest sum.</summary>
    public static uint AddSaturating(Span<uint> into, ReadOnlySpan<uint> from)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(from.Length, into.Length);
        int done = 0;
        uint largest = 0;
        if (Vector256.IsHardwareAccelerated)
            (done, largest) = AddSaturatingVector(into, from);
        return Math.Max(largest, AddSaturatingScalar(into[done..], from[done..]));
    }

    internal static uint AddSaturatingScalar(Span<uint> into, ReadOnlySpan<uint> from)
    {
        uint largest = 0;
        for (int i = 0; i < into.Length; i++)
        {
            uint sum = into[i] + from[i];
            if (sum < from[i])
                sum = uint.MaxValue;
            into[i] = sum;
            largest = Math.Max(largest, sum);
        }

        return largest;
    }

    // Merges are few and large: the runtime would have no time to find out that they are worth optimizing.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (int Done, uint Largest) AddSaturatingVector(Span<uint> into, ReadOnlySpan<uint> from)
    {
        ref uint a = ref MemoryMarshal.GetReference(into);
        ref uint b = ref MemoryMarshal.GetReference(from);
        int end = into.Length & ~(Vector256<uint>.Count - 1);
        Vector256<uint> largest = default;
        for (int i = 0; i < end; i += Vector256<uint>.Count)
        {
            Vector256<uint> added = Vector256.LoadUnsafe(ref b, (nuint)i);
            Vector256<uint> sum = Vector256.LoadUnsafe(ref a, (nuint)i) + added;
            sum |= Vector256.LessThan(sum, added); // all ones where it wrapped
            sum.StoreUnsafe(ref a, (nuint)i);
            largest = Vector256.Max(largest, sum);
        }

        uint most = 0;
        for (int lane = 0; lane < Vector256<uint>.Count; lane++)
            most = Math.Max(most, largest.GetElement(lane));
        return (end, most);
    }
}
