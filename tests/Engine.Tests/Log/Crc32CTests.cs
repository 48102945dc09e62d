using System.Text;
using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>The checksum is CRC-32C, at every length and alignment, however many streams it works on.</summary>
public sealed class Crc32CTests
{
    private const uint Polynomial = 0x82F63B78;

    [Fact]
    public void The_check_value_of_the_standard_holds() => Assert.Equal(0xE3069283, Crc32C.Compute("123456789"u8));

    [Fact]
    public void Values_of_RFC_3720_hold()
    {
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(Bitwise(Encoding.ASCII.GetBytes("sketch")), Crc32C.Compute("sketch"u8));
    }

    [Fact]
    public void Every_length_and_alignment_equals_the_bitwise_reference()
    {
        byte[] bytes = new byte[45_000];
        new Random(7).NextBytes(bytes);
        int[] near = [768, 3 * 4_096, 6 * 4_096, (3 * 4_096) + 768, bytes.Length - 8];
        foreach (int length in Enumerable.Range(0, 300).Concat(near.SelectMany(n => Enumerable.Range(n - 9, 18))).Where(n => n <= bytes.Length - 8))
        {
            int offset = length % 8;
            Assert.Equal(Bitwise(bytes.AsSpan(offset, length)), Crc32C.Compute(bytes.AsSpan(offset, length)));
        }
    }

    [Fact]
    public void Pieces_give_the_checksum_of_the_whole()
    {
        byte[] bytes = new byte[20_000];
        new Random(8).NextBytes(bytes);
        foreach (int cut in (int[])[0, 1, 9, 800, 13_000, bytes.Length])
        {
            Assert.Equal(Crc32C.Compute(bytes), Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
        }
    }

    private static uint Bitwise(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * Polynomial);
            }
        }

        return ~crc;
    }
}
