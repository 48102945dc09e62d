using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Sketches;

/// <content>
/// Batches of 64-bit elements: one element a lane, five rounds each, where one at a time waits for itself. Optimized from the first
/// call on: one large batch would be over before the runtime finds out that it is worth it.
/// </content>
public static partial class ElementHash
{
    // The last word of a message of eight bytes: its length, in the highest byte.
    private const ulong EightBytes = 8ul << 56;

    /// <summary>Hashes many 64-bit elements, each as <see cref="Compute"/> hashes its eight bytes, lowest first.</summary>
    /// <param name="key">The key of the sketch that the hashes go into.</param>
    /// <param name="elements">Any, ids for instance.</param>
    /// <param name="hashes">Receives one hash an element. May be the same span as the elements.</param>
    /// <exception cref="ArgumentException">The spans differ in length.</exception>
    public static void ComputeEach(SketchKey key, ReadOnlySpan<ulong> elements, Span<ulong> hashes)
    {
        if (elements.Length != hashes.Length)
            throw new ArgumentException($"{elements.Length} elements with room for {hashes.Length} hashes; allowed: as much of one as of the other");
        int done = Avx512F.IsSupported ? ComputeVector512(key, elements, hashes) : 0;
        if (Vector256.IsHardwareAccelerated)
            done += ComputeVector256(key, elements[done..], hashes[done..]);
        ComputeScalar(key, elements[done..], hashes[done..]);
    }

    internal static void ComputeScalar(SketchKey key, ReadOnlySpan<ulong> elements, Span<ulong> hashes)
    {
        for (int i = 0; i < elements.Length; i++)
        {
            ulong v0 = key.K0 ^ Init0, v1 = key.K1 ^ Init1, v2 = key.K0 ^ Init2, v3 = key.K1 ^ Init3 ^ elements[i];
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= elements[i];
            v3 ^= EightBytes;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= EightBytes;
            v2 ^= 0xff;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            hashes[i] = v0 ^ v1 ^ v2 ^ v3;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int ComputeVector512(SketchKey key, ReadOnlySpan<ulong> elements, Span<ulong> hashes)
    {
        ref ulong from = ref MemoryMarshal.GetReference(elements);
        ref ulong to = ref MemoryMarshal.GetReference(hashes);
        int end = elements.Length & ~(Vector512<ulong>.Count - 1);
        Vector512<ulong> start0 = Vector512.Create(key.K0 ^ Init0), start1 = Vector512.Create(key.K1 ^ Init1);
        Vector512<ulong> start2 = Vector512.Create(key.K0 ^ Init2), start3 = Vector512.Create(key.K1 ^ Init3);
        Vector512<ulong> length = Vector512.Create(EightBytes), final = Vector512.Create(0xfful);
        for (int i = 0; i < end; i += Vector512<ulong>.Count)
        {
            Vector512<ulong> word = Vector512.LoadUnsafe(ref from, (nuint)i);
            Vector512<ulong> v0 = start0, v1 = start1, v2 = start2, v3 = start3 ^ word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
            v3 ^= length;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= length;
            v2 ^= final;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            (v0 ^ v1 ^ v2 ^ v3).StoreUnsafe(ref to, (nuint)i);
        }

        return end;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int ComputeVector256(SketchKey key, ReadOnlySpan<ulong> elements, Span<ulong> hashes)
    {
        ref ulong from = ref MemoryMarshal.GetReference(elements);
        ref ulong to = ref MemoryMarshal.GetReference(hashes);
        int end = elements.Length & ~(Vector256<ulong>.Count - 1);
        Vector256<ulong> start0 = Vector256.Create(key.K0 ^ Init0), start1 = Vector256.Create(key.K1 ^ Init1);
        Vector256<ulong> start2 = Vector256.Create(key.K0 ^ Init2), start3 = Vector256.Create(key.K1 ^ Init3);
        Vector256<ulong> length = Vector256.Create(EightBytes), final = Vector256.Create(0xfful);
        for (int i = 0; i < end; i += Vector256<ulong>.Count)
        {
            Vector256<ulong> word = Vector256.LoadUnsafe(ref from, (nuint)i);
            Vector256<ulong> v0 = start0, v1 = start1, v2 = start2, v3 = start3 ^ word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
            v3 ^= length;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= length;
            v2 ^= final;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            (v0 ^ v1 ^ v2 ^ v3).StoreUnsafe(ref to, (nuint)i);
        }

        return end;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref Vector512<ulong> v0, ref Vector512<ulong> v1, ref Vector512<ulong> v2, ref Vector512<ulong> v3)
    {
        v0 += v1;
        v1 = Avx512F.RotateLeft(v1, 13) ^ v0;
        v0 = Avx512F.RotateLeft(v0, 32);
        v2 += v3;
        v3 = Avx512F.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = Avx512F.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = Avx512F.RotateLeft(v1, 17) ^ v2;
        v2 = Avx512F.RotateLeft(v2, 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref Vector256<ulong> v0, ref Vector256<ulong> v1, ref Vector256<ulong> v2, ref Vector256<ulong> v3)
    {
        v0 += v1;
        v1 = (v1 << 13 | v1 >>> 51) ^ v0;
        v0 = SwapHalves(v0);
        v2 += v3;
        v3 = (v3 << 16 | v3 >>> 48) ^ v2;
        v0 += v3;
        v3 = (v3 << 21 | v3 >>> 43) ^ v0;
        v2 += v1;
        v1 = (v1 << 17 | v1 >>> 47) ^ v2;
        v2 = SwapHalves(v2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> SwapHalves(Vector256<ulong> v) =>
        Vector256.Shuffle(v.AsUInt32(), Vector256.Create(1u, 0, 3, 2, 5, 4, 7, 6)).AsUInt64();
}
