using Sketch.Accuracy;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Elements;
using Sketch.Sketches;

namespace Sketch.Tests.Engine;

public sealed class ApproximateDistinctsTests
{
    private static readonly SketchKey Key = new(7, 8);

    // Well mixed, and another one for every pair: what a keyed hash makes of elements.
    private static ulong Hash(ulong counter, int n)
    {
        ulong x = (counter * 0x9E3779B97F4A7C15) + (ulong)n + 1;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    [Fact]
    public void Readings_and_rows_are_those_of_a_martingale_of_its_own()
    {
        ApproximateDistincts all = new(Key);
        DistinctMartingale[] single = [.. Enumerable.Range(0, 40).Select(_ => new DistinctMartingale(new HyperLogLog(Key.KeyId), 0))];
        int[] firsts = new int[single.Length];
        for (int n = 0; n < 3_000; n++)
        {
            // The first has 3,000 elements, the last 75, and each comes twice.
            for (int c = 0; c < single.Length && n < 3_000 / (c + 1); c++)
            {
                for (int twice = 0; twice < 2; twice++)
                {
                    firsts[c] += all.Add((ulong)c, 5, Hash((ulong)c, n), 10 + n) ? 1 : 0;
                    single[c].Add(Hash((ulong)c, n));
                }
            }
        }

        for (int c = 0; c < single.Length; c++)
        {
            Assert.Equal(1, firsts[c]);
            Assert.Equal(DistinctEstimate.From(single[c], 0.95), all.Read((ulong)c, 5, 0.95));
            Assert.Null(all.Read((ulong)c, 6, 0.95));
            DistinctRow row = all.Capture("n", (ulong)c, 4_000);
            Assert.Equal(
                (single[c].Added, single[c].Changes, single[c].NewElements, single[c].Variance, 5L, 4_000L),
                (row.Added, row.Changes, row.NewElements, row.Variance, row.Generation, row.Position));
            (uint[] indexes, byte[] ranks) = HyperLogLogSql.ToColumn(single[c].State);
            Assert.Equal(indexes, row.Indexes);
            Assert.Equal(ranks, row.Ranks);
            Assert.Equal(single[c].State.IsSparse, row.Sketch.Length > 0);
        }
    }

    [Fact]
    public void A_row_has_what_its_window_raised_and_the_next_begins_with_nothing()
    {
        ApproximateDistincts all = new(Key);
        Assert.True(all.Add(1, 5, Hash(1, 0), 10));
        all.Capture("n", 1, 10);
        all.BeginWindow();
        Assert.True(all.Add(1, 5, Hash(1, 0), 11)); // known already
        DistinctRow row = all.Capture("n", 1, 11);
        Assert.Empty(row.Indexes);
        Assert.Equal((2, 1), (row.Added, row.Changes));
    }

    [Fact]
    public void Another_generation_begins_at_zero_and_leaves_nothing_behind()
    {
        ApproximateDistincts all = new(Key);
        for (int n = 0; n < 2_000; n++)
        {
            all.Add(1, 5, Hash(1, n), 10);
        }

        all.Add(1, 20, Hash(1, 3), 21);
        Assert.Equal(Estimate.Exact(1).Value, all.Read(1, 20, 0.95)!.Value.Value);
        all.Remove(1);
        Assert.Equal(0, all.Count);
        long bytes = all.MemoryBytes;
        for (ulong other = 0; other < 500; other++)
        {
            for (int n = 0; n < 2_000; n++)
            {
                all.Add(other, 30, Hash(other, n), 31);
            }

            all.Remove(other);
        }

        Assert.InRange(all.MemoryBytes, bytes, bytes + 100_000);
    }

    [Fact]
    public void What_a_state_from_the_store_has_taken_in_is_not_added_again()
    {
        ApproximateDistincts all = new(Key);
        HyperLogLog sketch = new(Key.KeyId);
        sketch.Add(Hash(1, 0));
        all.Take(sketch, new StoredDistinct(1, 5, 100, [], [], false, 50, 1, 1, 1, 0, []));
        Assert.True(all.Add(1, 5, Hash(1, 1), 100));
        Assert.Equal(51, all.Read(1, 5, 0.95)!.Value.Value);
        all.Add(1, 5, Hash(1, 1), 101);
        Assert.Equal(52, all.Read(1, 5, 0.95)!.Value.Value);
    }

    [Fact]
    public void A_million_counters_of_Zipf_cardinalities_take_about_a_hundred_megabytes()
    {
        const int Counters = 1_000_000, Largest = 694_800; // 10 million elements in all
        ApproximateDistincts all = new(Key);
        for (ulong counter = 0; counter < Counters; counter++)
        {
            int size = Math.Max(1, Largest / (int)(counter + 1));
            for (int n = 0; n < size; n++)
            {
                all.Add(counter, 5, Hash(counter, n), 10);
            }

            if (counter % 10_000 == 0)
            {
                all.BeginWindow();
            }
        }

        all.BeginWindow();
        Assert.Equal(Counters, all.Count);
        Assert.InRange(all.MemoryBytes, 80_000_000, 110_000_000);
    }
}
