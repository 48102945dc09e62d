using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class ElementHashTests
{
    // Key 00 01 .. 0f, messages of n bytes 00 01 02 ..: the form of the reference implementation's test vectors.
    private static readonly SketchKey Key = new(0x0706050403020100, 0x0f0e0d0c0b0a0908);

    private static ulong HashOfLength(int length) =>
        ElementHash.Compute(Key, [.. Enumerable.Range(0, length).Select(i => (byte)i)]);

    // From an independent implementation, itself checked with the paper's vector for SipHash-2-4.
    [Theory]
    [InlineData(0, 0xabac0158050fc4dc)]
    [InlineData(1, 0xc9f49bf37d57ca93)]
    [InlineData(7, 0xd3927d989bb11140)]
    [InlineData(8, 0x369095118d299a8e)]
    [InlineData(15, 0xd320d86d2a519956)]
    [InlineData(63, 0x9d199062b7bbb3a8)]
    public void It_is_siphash_1_3(int length, ulong hash) => Assert.Equal(hash, HashOfLength(length));

    [Fact]
    public void Every_length_has_its_own_hash()
    {
        Assert.Equal(301, Enumerable.Range(0, 301).Select(HashOfLength).Distinct().Count());
    }

    [Fact]
    public void A_batch_equals_its_scalar_reference_and_one_call_an_element_at_every_length()
    {
        Random random = new(3);
        for (int length = 0; length <= 300; length++)
        {
            SketchKey key = new((ulong)random.NextInt64(long.MinValue, long.MaxValue), (ulong)random.NextInt64(long.MinValue, long.MaxValue));
            ulong[] elements = [.. Enumerable.Range(0, length).Select(_ => (ulong)random.NextInt64(long.MinValue, long.MaxValue))];
            ulong[] hashes = new ulong[length], scalar = new ulong[length];
            ElementHash.ComputeEach(key, elements, hashes);
            ElementHash.ComputeScalar(key, elements, scalar);
            Assert.Equal(scalar, hashes);
            Assert.Equal(elements.Select(element => ElementHash.Compute(key, BitConverter.GetBytes(element))), hashes);
            ElementHash.ComputeEach(key, elements, elements);
            Assert.Equal(hashes, elements);
        }

        Assert.Equal(0, Allocations.Least(() => ElementHash.ComputeEach(Key, new ReadOnlySpan<ulong>([1, 2, 3]), stackalloc ulong[3])));
        Assert.Throws<ArgumentException>(() => ElementHash.ComputeEach(Key, [1ul], new ulong[2]));
    }

    [Fact]
    public void Another_key_gives_another_hash() =>
        Assert.NotEqual(ElementHash.Compute(Key, "x"u8), ElementHash.Compute(new SketchKey(Key.K0, Key.K1 + 1), "x"u8));

    [Fact]
    public void Bits_of_the_hash_are_even()
    {
        int[] ones = new int[64];
        const int Hashes = 20_000;
        for (int i = 0; i < Hashes; i++)
        {
            ulong hash = ElementHash.Compute(Key, BitConverter.GetBytes(i));
            for (int bit = 0; bit < 64; bit++)
                ones[bit] += (int)(hash >> bit & 1);
        }

        // Five standard deviations of a fair coin.
        Assert.All(ones, count => Assert.InRange(count, Hashes / 2 - 354, Hashes / 2 + 354));
    }
}
