using System.IO.Hashing;
using System.Runtime.InteropServices;
using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class CountMinSketchTests
{
    private static readonly SketchKey Key = SketchKey.Derive("a secret of sixteen bytes or more"u8, "count-min", 0, 42);

    [Theory]
    [InlineData(0.8, 64 << 10)]
    [InlineData(1.1, 64 << 10)]
    [InlineData(1.0, 4 << 20)]
    public void An_estimate_is_never_below_the_truth(double exponent, long memory)
    {
        ulong[] ids = Streams.Zipf(300_000, 100_000, exponent, seed: 1);
        uint[] deltas = Streams.Lognormal(ids.Length, seed: 2);
        CountMinSketch sketch = new(memory, Key);
        sketch.Add(ids, deltas);
        Dictionary<ulong, long> truth = Streams.Count(ids, deltas);
        Assert.All(truth, t => Assert.True(sketch.Estimate(t.Key) >= t.Value));
        Assert.Equal((ulong)truth.Values.Sum(), sketch.TotalWeight);
        Assert.False(sketch.Saturated);
    }

    [Fact]
    public void With_room_for_all_ids_nearly_all_estimates_are_exact()
    {
        ulong[] ids = Streams.Zipf(200_000, 20_000, 1.0, seed: 3);
        CountMinSketch sketch = new(4 << 20, Key);
        sketch.Add(ids, Streams.Ones(ids.Length));
        Dictionary<ulong, long> truth = Streams.Count(ids, Streams.Ones(ids.Length));
        int exact = truth.Count(t => sketch.Estimate(t.Key) == t.Value);
        Assert.True(exact > 0.999 * truth.Count, $"{exact} of {truth.Count} exact");
    }

    [Fact]
    public void A_batch_ends_in_the_same_cells_as_one_call_an_id()
    {
        for (int length = 0; length <= 300; length++)
        {
            ulong[] ids = Streams.Zipf(length, 50, 0.9, seed: length);
            uint[] deltas = Streams.Lognormal(length, seed: length);
            CountMinSketch one = new(4 << 10, Key), batch = new(4 << 10, Key);
            uint[] returned = new uint[length], told = new uint[length];
            batch.Add(ids, deltas, told);
            for (int i = 0; i < length; i++)
                returned[i] = one.Add(ids[i], deltas[i]);
            Assert.Equal(returned, told);
            CountMinSketch untold = new(4 << 10, Key);
            untold.Add(ids, deltas);
            Assert.True(untold.Cells.SequenceEqual(batch.Cells));
            Assert.True(one.Cells.SequenceEqual(batch.Cells));
            Assert.Equal(one.TotalWeight, batch.TotalWeight);

            uint[] estimates = new uint[length];
            batch.Estimate(ids, estimates);
            for (int i = 0; i < length; i++)
            {
                Assert.Equal(one.Estimate(ids[i]), estimates[i]);
                Assert.True(returned[i] <= estimates[i]);
            }
        }
    }

    [Fact]
    public void Prefetching_sizes_end_in_the_same_state_as_one_call_an_id()
    {
        ulong[] ids = Streams.Zipf(100_001, 50_000, 0.9, seed: 8);
        uint[] deltas = Streams.Lognormal(ids.Length, seed: 8);
        CountMinSketch one = new(2 << 20, Key), batch = new(2 << 20, Key);
        batch.Add(ids, deltas);
        for (int i = 0; i < ids.Length; i++)
            one.Add(ids[i], deltas[i]);
        Assert.True(one.Cells.SequenceEqual(batch.Cells));
    }

    [Theory]
    [InlineData(4 << 10, 7)]
    [InlineData(64 << 10, 8)]
    [InlineData(2 << 20, 9)]
    public void The_vector_path_ends_in_the_cells_of_its_scalar_reference(long memory, int seed)
    {
        // Deltas of every size up to the ceiling, so that cells saturate as well.
        ulong[] ids = Streams.Zipf(50_000, 5_000, 0.9, seed);
        Random random = new(seed);
        uint[] deltas = [.. ids.Select(_ => (uint)random.NextInt64(1L << random.Next(33)))];
        CountMinSketch vector = new(memory, Key), scalar = new(memory, Key);
        vector.Add(ids, deltas);
        for (int i = 0; i < ids.Length; i++)
        {
            Span<int> at = scalar.CellsOf(ids[i]);
            Span<uint> cells = scalar.Cells;
            CountMinSketch.RaiseScalar(ref cells[at[0]], ref cells[at[1]], ref cells[at[2]], ref cells[at[3]], deltas[i]);
        }

        Assert.True(vector.Cells.SequenceEqual(scalar.Cells));
        Assert.Equal(CountMinSketch.SaturatedEstimate, vector.Cells.ToArray().Max());
        foreach (ulong id in ids.Take(1_000))
        {
            uint smallest = uint.MaxValue;
            foreach (int at in scalar.CellsOf(id))
                smallest = Math.Min(smallest, scalar.Cells[at]);
            Assert.Equal(smallest, vector.Estimate(id));
        }
    }

    [Fact]
    public void Cells_saturate_with_a_flag_and_never_wrap()
    {
        CountMinSketch sketch = new(4 << 10, Key);
        Assert.Equal(uint.MaxValue - 1, sketch.Add(7, uint.MaxValue - 1));
        Assert.False(sketch.Saturated);
        Assert.Equal(uint.MaxValue, sketch.Add(7, 2));
        Assert.True(sketch.Saturated);
        Assert.Equal(uint.MaxValue, sketch.Add(7, uint.MaxValue));
        Assert.Equal(CountMinSketch.SaturatedEstimate, sketch.Estimate(7));
        Assert.Equal(0u, sketch.Estimate(8));

        CountMinSketch batch = new(4 << 10, Key);
        batch.Add([7, 7], [uint.MaxValue, 5]);
        Assert.True(batch.Saturated);
        Assert.Equal(uint.MaxValue, batch.Estimate(7));
    }

    [Fact]
    public void Clear_empties_and_rekeys()
    {
        CountMinSketch sketch = new(1 << 20, Key);
        sketch.Add(1, uint.MaxValue);
        SketchKey next = new(3, 4);
        sketch.Clear(next);
        Assert.Equal(0u, sketch.Estimate(1));
        Assert.Equal(0ul, sketch.TotalWeight);
        Assert.False(sketch.Saturated);
        Assert.Equal(next.KeyId, sketch.KeyId);
        Assert.All(sketch.Cells.ToArray(), cell => Assert.Equal(0u, cell));
    }

    [Theory]
    [InlineData(4 << 10, 4 << 10)]
    [InlineData(4_223, 4_096)]
    [InlineData(1_000_000, 999_936)]
    [InlineData(64L << 20, 64L << 20)]
    public void Memory_is_rounded_down_and_aligned(long wished, long got)
    {
        CountMinSketch sketch = new(wished, Key);
        Assert.Equal(got, sketch.MemoryBytes);
        Assert.Equal(got, sketch.Cells.Length * 4L);
        Assert.Equal(got / 16, sketch.Width);
        unsafe
        {
            fixed (uint* cells = sketch.Cells)
                Assert.Equal(0ul, (ulong)cells % 64);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4_095)]
    [InlineData((1L << 30) + 1)]
    [InlineData(long.MinValue)]
    public void Memory_out_of_range_is_refused(long memory)
    {
        ArgumentOutOfRangeException refusal = Assert.Throws<ArgumentOutOfRangeException>(() => new CountMinSketch(memory, Key));
        Assert.Contains($"memoryBytes is {memory}; allowed 4096 to 1073741824", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Spans_of_different_lengths_are_refused()
    {
        CountMinSketch sketch = new(4 << 10, Key);
        Assert.Throws<ArgumentException>(() => sketch.Add([1, 2], [1]));
        Assert.Throws<ArgumentException>(() => sketch.Estimate([1, 2], new uint[3]));
        Assert.Equal(0ul, sketch.TotalWeight);
    }

    [Fact]
    public void Adding_and_estimating_allocate_nothing()
    {
        ulong[] ids = Streams.Zipf(1_000, 500, 1, seed: 5);
        uint[] deltas = Streams.Ones(ids.Length), estimates = new uint[ids.Length];
        CountMinSketch sketch = new(2 << 20, Key);
        void Work()
        {
            sketch.Add(ids, deltas);
            sketch.Estimate(ids, estimates);
            sketch.Add(ids[0], 1);
            sketch.Estimate(ids[0]);
        }

        Assert.Equal(0, Allocations.Least(Work));
    }

    [Fact]
    public async Task Readers_never_see_less_than_was_there_when_their_read_began()
    {
        CountMinSketch sketch = new(4 << 10, Key);
        ulong[] ids = Streams.Zipf(256, 256, 0, seed: 6);
        long rounds = 0;
        bool done = false;
        Task<long> reader = Task.Run(() =>
        {
            long reads = 0;
            do
            {
                // Every id had at least one increment a finished round: one that shows fewer was seen going backwards.
                long floor = Volatile.Read(ref rounds);
                foreach (ulong id in ids)
                    Assert.True(sketch.Estimate(id) >= floor);
                reads++;
            }
            while (!Volatile.Read(ref done));
            return reads;
        });
        uint[] ones = Streams.Ones(ids.Length);
        for (int i = 0; i < 20_000; i++)
        {
            sketch.Add(ids, ones);
            Volatile.Write(ref rounds, i + 1);
        }

        Volatile.Write(ref done, true);
        Assert.True(await reader > 0);
    }

    [Fact]
    public void Cells_of_a_seeded_stream_have_the_known_fingerprint()
    {
        // Another constant means other bytes for the same log: replicas of two versions would disagree.
        ulong[] ids = new ulong[20_000];
        uint[] deltas = new uint[ids.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = Streams.Id((ulong)(i * i % 5_003));
            deltas[i] = (uint)(i % 97);
        }

        CountMinSketch sketch = new(100_000, new SketchKey(0x0123456789abcdef, 0xfedcba9876543210));
        sketch.Add(ids, deltas);
        Assert.Equal(2578095620256888239ul, XxHash3.HashToUInt64(MemoryMarshal.AsBytes(sketch.Cells)));
    }
}
