using System.IO.Hashing;
using System.Runtime.InteropServices;
using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class HyperLogLogTests
{
    private const ulong KeyId = 99;

    private static HyperLogLog With(int precision, ulong from, ulong to)
    {
        HyperLogLog state = new(KeyId, precision);
        for (ulong n = from; n < to; n++)
            state.Add(Streams.Id(n));
        return state;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(14)]
    [InlineData(100)]
    [InlineData(700)]
    public void Few_elements_are_counted_exactly(int elements)
    {
        HyperLogLog state = With(12, 0, (ulong)elements);
        Assert.True(state.IsSparse);
        Assert.Equal(elements, Math.Round(state.Estimate()));
        Assert.False(elements > 0 && state.Add(Streams.Id(0)));
    }

    [Fact]
    public void Tokens_rebuild_the_registers_of_every_precision()
    {
        for (int precision = HyperLogLog.MinPrecision; precision <= HyperLogLog.MaxPrecision; precision++)
        {
            for (ulong n = 0; n < 20_000; n++)
            {
                // Masks make long runs of zeros, which random hashes would hardly show.
                ulong hash = Streams.Id(n) >> (int)(n % 64) << (int)(n % 23);
                uint token = HyperLogLogToken.FromHash(hash);
                Assert.Equal((int)(hash >> (64 - precision)), HyperLogLogToken.Index(token, precision));
                Assert.Equal(HyperLogLogToken.Rank(hash, precision), HyperLogLogToken.Rank(token, precision));
            }
        }
    }

    [Theory]
    [InlineData(10, 10)]
    [InlineData(10, 20_000)]
    [InlineData(20_000, 10)]
    [InlineData(600, 600)]
    [InlineData(20_000, 30_000)]
    public void A_merge_equals_having_seen_both(int left, int right)
    {
        HyperLogLog merged = With(12, 0, (ulong)left);
        ulong from = (ulong)left / 2;
        merged.Merge(With(12, from, from + (ulong)right));
        HyperLogLog direct = With(12, 0, Math.Max((ulong)left, from + (ulong)right));
        Assert.Equal(direct.IsSparse, merged.IsSparse);
        Assert.True(direct.Tokens.SequenceEqual(merged.Tokens));
        Assert.True(direct.Registers.SequenceEqual(merged.Registers));
        Assert.Equal(direct.ChangeProbability, merged.ChangeProbability);
        Assert.Equal(direct.Estimate(), merged.Estimate());
    }

    [Fact]
    public void Merging_another_key_or_precision_is_refused()
    {
        HyperLogLog state = new(KeyId);
        ArgumentException key = Assert.Throws<ArgumentException>(() => state.Merge(new HyperLogLog(KeyId + 1)));
        Assert.StartsWith("keyId is 0000000000000064; allowed 0000000000000063", key.Message, StringComparison.Ordinal);
        ArgumentException precision = Assert.Throws<ArgumentException>(() => state.Merge(new HyperLogLog(KeyId, 13)));
        Assert.StartsWith("precision is 13; allowed 12", precision.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new HyperLogLog(KeyId, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new HyperLogLog(KeyId, 19));
    }

    [Fact]
    public void The_change_probability_is_that_of_the_registers()
    {
        HyperLogLog state = With(10, 0, 5_000);
        Assert.Equal(RegisterKernels.ChangeWeight((ReadOnlySpan<byte>)state.Registers, 10) / Math.Pow(2, 63), state.ChangeProbability);
        const int More = 200_000;
        double before = state.ChangeProbability;
        int hits = 0;
        for (ulong n = 0; n < More; n++)
        {
            ulong hash = Streams.Id(1_000_000 + n);
            if (state.Registers[(int)(hash >> 54)] < HyperLogLogToken.Rank(hash, 10))
                hits++;
        }

        double sigma = Math.Sqrt(before * (1 - before) / More);
        Assert.InRange(hits / (double)More, before - 5 * sigma, before + 5 * sigma);
    }

    [Fact]
    public void Kernels_equal_their_scalar_reference_at_every_length()
    {
        Random random = new(11);
        for (int length = 0; length <= 300; length++)
        {
            byte[] a = new byte[length], b = new byte[length];
            random.NextBytes(a);
            random.NextBytes(b);
            byte[] vector = [.. a], scalar = [.. a];
            RegisterKernels.Max(vector, b);
            RegisterKernels.MaxScalar(scalar, b);
            Assert.Equal(scalar, vector);

            int[] histogram = new int[64], expected = new int[64];
            RegisterKernels.Histogram(a, histogram);
            foreach (byte rank in a)
                expected[rank & 63]++;
            Assert.Equal(expected, histogram);
        }
    }

    [Fact]
    public void A_batch_equals_one_call_an_element()
    {
        for (int length = 0; length < 5_000; length += 271)
        {
            ulong[] hashes = [.. Enumerable.Range(0, length).Select(n => Streams.Id((ulong)(n % 3_000)))];
            HyperLogLog batch = new(KeyId, 10), one = new(KeyId, 10);
            batch.Add(hashes);
            foreach (ulong hash in hashes)
                one.Add(hash);
            Assert.True(one.Tokens.SequenceEqual(batch.Tokens));
            Assert.True(one.Registers.SequenceEqual(batch.Registers));
            Assert.Equal(one.ChangeProbability, batch.ChangeProbability);
        }
    }

    [Fact]
    public void A_million_small_states_take_about_a_hundred_megabytes()
    {
        // A tenth of that, so that the test stays quick: cardinalities by Zipf's law, one million elements over 100,000 counters.
        HyperLogLog[] states = new HyperLogLog[100_000];
        ulong n = 0;
        for (int rank = 1; rank <= states.Length; rank++)
        {
            HyperLogLog state = states[rank - 1] = new HyperLogLog(KeyId);
            for (int i = 0; i < Math.Max(1, 82_700 / rank); i++)
                state.Add(Streams.Id(n++));
        }

        Assert.InRange(n, 900_000ul, 1_100_000ul);
        Assert.InRange(states.Sum(s => (long)s.MemoryBytes), 5_000_000, 11_000_000);
    }

    [Fact]
    public void Memory_is_what_the_heap_gives()
    {
        HyperLogLog[] states = new HyperLogLog[1_000];
        long allocated = Allocations.Least(() =>
        {
            for (int i = 0; i < states.Length; i++)
            {
                states[i] = new HyperLogLog(KeyId);
                states[i].Add(Streams.Id((ulong)i));
            }
        });
        Assert.Equal(states.Sum(s => (long)s.MemoryBytes), allocated);
    }

    [Fact]
    public void A_dense_state_adds_without_allocating()
    {
        HyperLogLog state = With(12, 0, 10_000);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (ulong n = 0; n < 10_000; n++)
                state.Add(Streams.Id(n + 5_000));
            state.Estimate();
        }));
    }

    [Fact]
    public void States_of_a_seeded_stream_have_the_known_fingerprints()
    {
        Assert.Equal(434674156857254337ul, XxHash3.HashToUInt64(MemoryMarshal.AsBytes(With(12, 0, 500).Tokens)));
        Assert.Equal(451001042449026895ul, XxHash3.HashToUInt64(With(12, 0, 50_000).Registers));
    }
}
