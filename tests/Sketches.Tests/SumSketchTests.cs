using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class SumSketchTests
{
    private static readonly SketchKey Key = new(11, 12);

    [Fact]
    public void Heavy_ids_move_to_the_exact_table()
    {
        SumSketch sketch = new(64 << 10, Key);
        for (int i = 0; i < 2_000; i++)
            sketch.Add(1, 1_000);
        Assert.Equal(1, sketch.HotCount);
        SumParts parts = sketch.Read(1);
        Assert.Equal(2_000_000, parts.Exact + parts.Positive);
        Assert.Equal(SumSketch.HotEstimate, parts.Positive, 1_000u);

        sketch.Add(2, SumSketch.HotDelta);
        Assert.Equal(new SumParts(SumSketch.HotDelta, 0, 0, false), sketch.Read(2));
        sketch.Add(2, long.MinValue / 2);
        Assert.Equal(SumSketch.HotDelta + long.MinValue / 2, sketch.Read(2).Exact);
    }

    [Fact]
    public void A_full_table_leaves_large_deltas_to_the_sketches_which_saturate()
    {
        SumSketch sketch = new(64 << 10, Key, hotCapacity: 1);
        sketch.Add(1, SumSketch.HotDelta);
        sketch.Add(2, 5_000_000_000);
        sketch.Add(3, -SumSketch.HotDelta);
        sketch.Add(4, long.MinValue);
        Assert.True(sketch.Read(2).Saturated);
        Assert.Equal(new SumParts(0, 0, (uint)SumSketch.HotDelta, false), sketch.Read(3));
        Assert.True(sketch.Read(4).Saturated);
    }

    [Fact]
    public void The_second_sketch_is_made_when_something_is_taken_away()
    {
        SumSketch sketch = new(64 << 10, Key);
        sketch.Add(1, 5);
        Assert.Null(sketch.Negative);
        Assert.Equal(64 << 10, sketch.MemoryBytes);
        sketch.Add([1, 1], [-3, 4]);
        Assert.NotNull(sketch.Negative);
        Assert.Equal(128 << 10, sketch.MemoryBytes);
        Assert.Equal(new SumParts(0, 9, 3, false), sketch.Read(1));
        sketch.Clear(new SketchKey(1, 1));
        Assert.Equal(default, sketch.Read(1));
    }

    [Theory]
    [InlineData(64 << 10)]
    [InlineData(4 << 20)]
    public void A_batch_is_one_call_an_id(long memory)
    {
        Random random = new(5);
        for (int length = 0; length <= 300; length++)
        {
            ulong[] ids = Streams.Zipf(length, 50, 0.9, seed: length);
            long[] deltas = [.. ids.Select(_ => random.Next(10) switch { 0 => random.NextInt64(-1L << 30, 1L << 30), 1 or 2 => -random.Next(1_000), _ => random.Next(1 << 19) })];
            SumSketch one = new(memory, Key, 8), batch = new(memory, Key, 8);
            for (int i = 0; i < length; i++)
                one.Add(ids[i], deltas[i]);
            batch.Add(ids, deltas);
            Assert.True(one.Positive.Cells.SequenceEqual(batch.Positive.Cells));
            Assert.Equal(one.Negative is null, batch.Negative is null);
            Assert.True(one.Negative is null || one.Negative.Cells.SequenceEqual(batch.Negative!.Cells));
            Assert.Equal((one.HotCount, one.Positive.TotalWeight), (batch.HotCount, batch.Positive.TotalWeight));
            Assert.All(ids, id => Assert.Equal(one.Read(id), batch.Read(id)));
        }

        Assert.Throws<ArgumentException>(() => new SumSketch(memory, Key).Add([1, 2], [1]));
    }

    [Fact]
    public void Adding_and_reading_allocate_nothing()
    {
        SumSketch sketch = new(64 << 10, Key, 8);
        ulong[] ids = Streams.Zipf(1_000, 500, 1, seed: 5);
        long[] deltas = [.. ids.Select((_, i) => (long)(i % 7 - 3) << i % 20)];
        void Work()
        {
            sketch.Add(ids, deltas);
            for (ulong id = 0; id < 100; id++)
            {
                sketch.Add(id, 1_000_000);
                sketch.Add(id, -7);
                sketch.Read(id);
            }
        }

        Assert.Equal(0, Allocations.Least(Work));
        Assert.Equal(8, sketch.HotCount);
    }

    [Fact]
    public async Task Readers_see_at_least_what_was_there()
    {
        SumSketch sketch = new(64 << 10, Key, 4);
        long floor = 0;
        bool done = false;
        Task<bool> reader = Task.Run(() =>
        {
            do
            {
                long least = Volatile.Read(ref floor);
                SumParts parts = sketch.Read(5);
                Assert.True(parts.Exact + parts.Positive >= least);
            }
            while (!Volatile.Read(ref done));
            return true;
        });
        for (int i = 1; i <= 300_000; i++)
        {
            sketch.Add(5, 10);
            sketch.Add((ulong)(i % 7) + 100, 900);
            Volatile.Write(ref floor, i * 10L);
        }

        Volatile.Write(ref done, true);
        Assert.True(await reader);
    }

    [Fact]
    public void Merged_sketches_bound_the_sum_from_above_and_saturate()
    {
        CountMinSketch one = new(8 << 10, Key), other = new(8 << 10, Key);
        ulong[] a = Streams.Zipf(5_000, 900, 1, 1), b = Streams.Zipf(5_000, 900, 1, 2);
        one.Add(a, Streams.Ones(a.Length));
        other.Add(b, Streams.Ones(b.Length));
        one.Merge(other);
        Assert.All(
            Streams.Count([.. a, .. b], Streams.Ones(10_000)), t => Assert.True(one.Estimate(t.Key) >= t.Value));
        Assert.Equal(10_000ul, one.TotalWeight);
        one.Add(77, uint.MaxValue - 100_000);
        other.Add(77, 200_000);
        Assert.False(one.Saturated);
        one.Merge(other);
        Assert.True(one.Saturated);
        Assert.Equal(CountMinSketch.SaturatedEstimate, one.Estimate(77));
        Assert.StartsWith(
            "keyId is ", Assert.Throws<ArgumentException>(() => one.Merge(new CountMinSketch(8 << 10, default))).Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "memoryBytes is 16384; allowed 8192",
            Assert.Throws<ArgumentException>(() => one.Merge(new CountMinSketch(16 << 10, Key))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Saturating_addition_equals_its_scalar_reference_at_every_length()
    {
        Random random = new(13);
        for (int length = 0; length <= 300; length++)
        {
            uint[] a = new uint[length], b = new uint[length];
            for (int i = 0; i < length; i++)
                (a[i], b[i]) = ((uint)random.NextInt64(1L << 32), (uint)random.NextInt64(1L << (8 * random.Next(5))));
            uint[] vector = [.. a], scalar = [.. a];
            Assert.Equal(CellKernels.AddSaturatingScalar(scalar, b), CellKernels.AddSaturating(vector, b));
            Assert.Equal(scalar, vector);
        }
    }
}
