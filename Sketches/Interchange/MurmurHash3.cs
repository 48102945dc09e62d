using System.Buffers.Binary;
using System.Numerics;

namespace Sketch.Sketches;

/// <summary>
/// MurmurHash3_x64_128 (Austin Appleby, public domain) with a 64-bit seed, as Apache DataSketches uses it. Not keyed: whoever knows
/// the seed can aim at a sketch. It is here only to read and continue sketches of others.
/// </summary>
internal static class MurmurHash3
{
    private const ulong C1 = 0x87c37b91114253d5;
    private const ulong C2 = 0x4cf5ad432745937f;

    public static (ulong H1, ulong H2) Compute(ReadOnlySpan<byte> bytes, ulong seed)
    {
        ulong h1 = seed, h2 = seed;
        ulong length = (ulong)bytes.Length;
        for (; bytes.Length >= 16; bytes = bytes[16..])
        {
            h1 ^= Mix1(BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            h1 = (BitOperations.RotateLeft(h1, 27) + h2) * 5 + 0x52dce729;
            h2 ^= Mix2(BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
            h2 = (BitOperations.RotateLeft(h2, 31) + h1) * 5 + 0x38495ab5;
        }

        Span<byte> tail = stackalloc byte[16];
        tail.Clear();
        bytes.CopyTo(tail);
        return Finish(
            h1 ^ Mix1(BinaryPrimitives.ReadUInt64LittleEndian(tail)), h2 ^ Mix2(BinaryPrimitives.ReadUInt64LittleEndian(tail[8..])), length);
    }

    /// <summary>The hash of the eight bytes of a value, lowest first.</summary>
    public static (ulong H1, ulong H2) Compute(ulong value, ulong seed) => Finish(seed ^ Mix1(value), seed, sizeof(ulong));

    private static (ulong H1, ulong H2) Finish(ulong h1, ulong h2, ulong length)
    {
        h1 ^= length;
        h2 ^= length;
        h1 += h2;
        h2 += h1;
        h1 = Avalanche(h1);
        h2 = Avalanche(h2);
        h1 += h2;
        return (h1, h2 + h1);
    }

    private static ulong Mix1(ulong k) => BitOperations.RotateLeft(k * C1, 31) * C2;

    private static ulong Mix2(ulong k) => BitOperations.RotateLeft(k * C2, 33) * C1;

    private static ulong Avalanche(ulong k)
    {
        k = (k ^ (k >> 33)) * 0xff51afd7ed558ccd;
        k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53;
        return k ^ (k >> 33);
    }
}
