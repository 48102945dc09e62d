using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sketch.Engine.Log;

/// <summary>
/// CRC-32C (Castagnoli), as in RFC 3720, by the processor's instruction where there is one. That takes 8 bytes but answers only three cycles later, so
/// long inputs are worked on as three streams at once: three neighbouring blocks, whose sums are then put together.
/// </summary>
public static class Crc32C
{
    private const int LongBlock = 4_096;
    private const int ShortBlock = 256;
    private const int Streams = 3;

    private static readonly uint[] LongShift = ShiftTable(LongBlock);
    private static readonly uint[] ShortShift = ShiftTable(ShortBlock);

    /// <summary>The checksum of the bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The checksum of bytes that come in pieces.</summary>
    /// <param name="checksum">That of the pieces before; 0 when there are none.</param>
    /// <param name="bytes">The next piece.</param>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        uint crc = ~checksum;
        if (bytes.Length >= Streams * ShortBlock)
        {
            crc = ThreeStreams(crc, ref bytes, LongBlock, LongShift);
            crc = ThreeStreams(crc, ref bytes, ShortBlock, ShortShift);
        }

        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte rest in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, rest);
        }

        return ~crc;
    }

    private static uint ThreeStreams(uint crc, ref ReadOnlySpan<byte> bytes, int block, uint[] shift)
    {
        while (bytes.Length >= Streams * block)
        {
            ref byte at = ref MemoryMarshal.GetReference(bytes);
            uint second = 0;
            uint third = 0;
            for (int i = 0; i < block; i += sizeof(ulong))
            {
                crc = BitOperations.Crc32C(crc, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, i)));
                second = BitOperations.Crc32C(second, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, i + block)));
                third = BitOperations.Crc32C(third, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, i + (2 * block))));
            }

            crc = Shift(Shift(crc, shift) ^ second, shift) ^ third;
            bytes = bytes[(Streams * block)..];
        }

        return crc;
    }

    /// <summary>The sum as it is after as many zero bytes as the table was made for.</summary>
    private static uint Shift(uint crc, uint[] table) =>
        table[crc & 0xFF] ^ table[256 + ((crc >> 8) & 0xFF)] ^ table[512 + ((crc >> 16) & 0xFF)] ^ table[768 + (crc >> 24)];

    // The sum is linear over GF(2), so that the effect of zeros on any sum is that on its four bytes.
    private static uint[] ShiftTable(int zeros)
    {
        uint[] bits = new uint[32];
        for (int bit = 0; bit < bits.Length; bit++)
        {
            uint crc = 1u << bit;
            for (int i = 0; i < zeros; i += sizeof(ulong))
            {
                crc = BitOperations.Crc32C(crc, 0UL);
            }

            bits[bit] = crc;
        }

        uint[] table = new uint[4 * 256];
        for (int i = 0; i < table.Length; i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                if ((i & (1 << bit)) != 0)
                {
                    table[i] ^= bits[((i >> 8) * 8) + bit];
                }
            }
        }

        return table;
    }
}
