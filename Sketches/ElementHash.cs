using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Sketch.Sketches;

/// <summary>
/// SipHash-1-3 (Aumasson and Bernstein 2012) of an element's bytes. HyperLogLog with a hash that others can compute lets them
/// drive an estimate to any value (Paterson and Raynal 2021), and its key lives as long as its registers: hence a real
/// pseudo-random function and not the faster <c>IdHash</c>.
/// </summary>
public static partial class ElementHash
{
    private const ulong Init0 = 0x736f6d6570736575, Init1 = 0x646f72616e646f6d;
    private const ulong Init2 = 0x6c7967656e657261, Init3 = 0x7465646279746573;

    /// <summary>Hashes an element.</summary>
    /// <param name="key">The key of the sketch that the hash goes into.</param>
    /// <param name="element">The element's bytes.</param>
    public static ulong Compute(SketchKey key, ReadOnlySpan<byte> element)
    {
        ulong v0 = key.K0 ^ Init0, v1 = key.K1 ^ Init1;
        ulong v2 = key.K0 ^ Init2, v3 = key.K1 ^ Init3;
        ulong last = (ulong)element.Length << 56;

        while (element.Length >= 8)
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(element);
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
            element = element[8..];
        }

        for (int i = 0; i < element.Length; i++)
            last |= (ulong)element[i] << (8 * i);
        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;

        v2 ^= 0xff;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
