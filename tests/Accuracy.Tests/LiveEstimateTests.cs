using Sketch.Accuracy;
using Sketch.Sketches;

namespace Sketch.Tests.Accuracy;

public sealed class LiveEstimateTests
{
    [Fact]
    public void A_heavy_ids_value_is_not_pulled_down_by_noise_that_it_does_not_have()
    {
        // 64 KiB for 200,000 ids, Zipf 1: the middle ghost is wrong by dozens, the hundred heaviest ids hardly at all. Deterministic: every seed is fixed.
        Random random = new(1);
        double[] reach = new double[200_000];
        double sum = 0;
        for (int i = 0; i < reach.Length; i++)
            reach[i] = sum += 1.0 / (i + 1);
        CountMinSketch sketch = new(1 << 16, SketchKey.Derive(new byte[32], "values", 0, 1));
        long[] truth = new long[reach.Length];
        for (int n = 0; n < 1_000_000; n++)
        {
            int found = Array.BinarySearch(reach, random.NextDouble() * sum);
            int id = found < 0 ? ~found : found;
            truth[id]++;
            sketch.Add(Id(id), 1);
        }

        GhostSample ghosts = new(SketchKey.Derive(new byte[32], "ghosts", 0, 1));
        ghosts.Evaluate([sketch]);
        double heavy = Enumerable.Range(0, 100).Average(Error);
        double light = Enumerable.Range(1_000, 50_000).Where(id => truth[id] > 0).Average(Error);

        Assert.True(ghosts.Median > 20, $"the middle ghost is {ghosts.Median}: no noise to speak of");
        Assert.True(heavy < 1, $"the heaviest are wrong by {heavy} on average");
        Assert.True(light < ghosts.Median / 3.0, $"the light ones are wrong by {light} on average");

        static ulong Id(int id) => (ulong)(id + 1) * 0x9E3779B97F4A7C15UL;

        double Error(int id) => Math.Abs(LiveEstimate.From(0, sketch.Estimate(Id(id)), 0, ghosts, 0.99).Value - truth[id]);
    }

    [Fact]
    public void Nothing_in_the_sketch_is_exact() =>
        Assert.Equal(new Estimate(15, 15, 15, 1), LiveEstimate.From(10, 0, 5, quantile: 7, median: 3, 0.99));

    [Fact]
    public void Bounds_are_the_exact_parts_plus_the_clamped_estimate()
    {
        Assert.Equal(new Estimate(115, 108, 115, 0.99), LiveEstimate.From(10, 100, 5, quantile: 7, median: 3, 0.99));
        // The quantile is larger than the estimate: the lower bound is the exact part, never less.
        Assert.Equal(new Estimate(16, 15, 19, 0.99), LiveEstimate.From(10, 4, 5, quantile: 7, median: 3, 0.99));
        Assert.Equal(new Estimate(15, 15, 19, 0.99), LiveEstimate.From(10, 4, 5, quantile: long.MaxValue, median: 9, 0.99));
    }

    [Fact]
    public void Bounds_that_meet_only_probably_are_not_exact() =>
        Assert.False(LiveEstimate.From(10, 4, 5, quantile: 0, median: 0, 0.99).IsExact);

    [Fact]
    public void A_saturated_estimate_has_no_upper_bound()
    {
        Estimate estimate = LiveEstimate.From(0, uint.MaxValue, 0, quantile: 10, median: 2, 0.95, saturated: true);
        Assert.Equal(long.MaxValue, estimate.Upper);
        Assert.Equal(uint.MaxValue - 10L, estimate.Lower);
    }

    [Fact]
    public void Totals_at_the_edge_are_clamped()
    {
        Assert.Equal(long.MaxValue, LiveEstimate.From(long.MaxValue - 1, 5, 0, 0, 0, 0.95).Upper);
        Assert.Equal(long.MinValue, LiveEstimate.From(long.MinValue, 0, -1, 0, 0, 0.95).Value);
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LiveEstimate.From(0, -1, 0, 0, 0, 0.95));
        Assert.Throws<ArgumentOutOfRangeException>(() => LiveEstimate.From(0, 1, 0, -1, 0, 0.95));
        Assert.Throws<ArgumentNullException>(() => LiveEstimate.From(0, 1, 0, null!, 0.95));
    }

    [Fact]
    public void The_value_lies_within_its_bounds()
    {
        Random random = new(1);
        for (int i = 0; i < 10_000; i++)
        {
            long median = random.Next(50), quantile = median + random.Next(50);
            Estimate e = LiveEstimate.From(random.Next(-100, 100), random.Next(200), random.Next(100), quantile, median, 0.95);
            Assert.True(e.Lower <= e.Value && e.Value <= e.Upper);
        }
    }

    [Fact]
    public void A_sample_composes_with_a_sketch()
    {
        CountMinSketch sketch = new(4 << 10, new SketchKey(1, 2));
        GhostSample ghosts = new(new SketchKey(3, 4));
        sketch.Add(7, 5);
        ghosts.Evaluate([sketch]);
        Assert.Equal(new Estimate(8, 8, 8, 0.95), LiveEstimate.From(3, sketch.Estimate(7), 0, ghosts, 0.95));
    }
}
