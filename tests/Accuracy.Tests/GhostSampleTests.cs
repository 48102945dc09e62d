using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Tests.Accuracy;

public sealed class GhostSampleTests
{
    private static SketchKey Key(int window) => SketchKey.Derive("a secret of sixteen bytes or more"u8, "count-min", 0, window);

    /// <summary>Windows under stress: small sketches, many ids, weights from 1 to 100,000.</summary>
    private static (CountMinSketch[] Windows, Dictionary<ulong, long> Truth) Fill(double exponent, int windows, bool unit, int seed)
    {
        CountMinSketch[] sketches = new CountMinSketch[windows];
        Dictionary<ulong, long> truth = [];
        for (int w = 0; w < windows; w++)
        {
            ulong[] ids = Streams.Zipf(200_000, 60_000, exponent, seed + w);
            uint[] deltas = unit ? Streams.Ones(ids.Length) : Streams.Lognormal(ids.Length, seed + w);
            sketches[w] = new CountMinSketch(128 << 10, Key(w + 100 * seed));
            sketches[w].Add(ids, deltas);
            foreach ((ulong id, long weight) in Streams.Count(ids, deltas))
                truth[id] = truth.GetValueOrDefault(id) + weight;
        }

        return (sketches, truth);
    }

    private static double Coverage(CountMinSketch[] windows, Dictionary<ulong, long> truth, long quantile, long median, double confidence)
    {
        int covered = 0;
        foreach ((ulong id, long weight) in truth)
        {
            long u = windows.Sum(w => (long)w.Estimate(id));
            Estimate estimate = LiveEstimate.From(0, u, 0, quantile, median, confidence);
            Assert.True(weight <= estimate.Upper);
            if (estimate.Lower <= weight)
                covered++;
        }

        return (double)covered / truth.Count;
    }

    [Theory]
    [InlineData(0.8, 1, true)]
    [InlineData(0.8, 3, false)]
    [InlineData(1.2, 1, false)]
    [InlineData(1.2, 2, true)]
    [InlineData(0.0, 2, false)]
    public void Bounds_cover_the_truth_as_often_as_they_say_and_not_when_cut(double exponent, int count, bool unit)
    {
        (CountMinSketch[] windows, Dictionary<ulong, long> truth) = Fill(exponent, count, unit, seed: 10 * count);
        GhostSample ghosts = new(new SketchKey(21, 22));
        ghosts.Evaluate(windows);

        Assert.True(Coverage(windows, truth, ghosts.Quantile(0.95), ghosts.Median, 0.95) >= 0.945);
        Assert.True(Coverage(windows, truth, ghosts.Quantile(0.99), ghosts.Median, 0.99) >= 0.988);
        // The test can fail: with the quantile cut to the median ghost, half of the ids would be outside.
        Assert.True(Coverage(windows, truth, ghosts.Median / 2, ghosts.Median, 0.95) < 0.945);
    }

    [Fact]
    public void Bounds_are_not_wider_than_the_errors_ask_for()
    {
        (CountMinSketch[] windows, Dictionary<ulong, long> truth) = Fill(1.0, 1, unit: true, seed: 77);
        GhostSample ghosts = new(new SketchKey(21, 22));
        ghosts.Evaluate(windows);
        long[] errors = [.. truth.Select(t => windows[0].Estimate(t.Key) - t.Value).Order()];
        Assert.True(ghosts.Quantile(0.95) <= 2 * errors[errors.Length * 95 / 100] + 5);
        double textbook = Math.E * windows[0].TotalWeight / windows[0].Width;
        Assert.True(ghosts.Quantile(0.95) < textbook / 2);
    }

    [Fact]
    public void Ghosts_of_empty_or_no_sketches_err_by_nothing()
    {
        GhostSample ghosts = new(new SketchKey(1, 2), 64);
        ghosts.Evaluate([new CountMinSketch(4 << 10, Key(0))]);
        Assert.Equal((0L, 0L), (ghosts.Median, ghosts.Quantile(0.5)));
        ghosts.Evaluate([]);
        Assert.Equal(0, ghosts.Median);
    }

    [Fact]
    public void Too_few_ghosts_for_the_confidence_bound_nothing()
    {
        GhostSample ghosts = new(new SketchKey(1, 2), 64);
        ghosts.Evaluate([]);
        Assert.Equal(long.MaxValue, ghosts.Quantile(0.999));
    }

    [Fact]
    public void Ghosts_are_the_same_for_the_same_key_and_distinct()
    {
        GhostSample one = new(new SketchKey(1, 2)), same = new(new SketchKey(1, 2)), other = new(new SketchKey(1, 3));
        Assert.True(one.Ids.SequenceEqual(same.Ids));
        Assert.False(one.Ids.SequenceEqual(other.Ids));
        Assert.Equal(2048, one.Ids.ToArray().Distinct().Count());
    }

    [Fact]
    public void Evaluating_allocates_nothing()
    {
        CountMinSketch[] windows = [new(4 << 10, Key(0)), new(4 << 10, Key(1))];
        GhostSample ghosts = new(new SketchKey(1, 2));
        Assert.Equal(0, Allocations.Least(() => ghosts.Evaluate(windows)));
    }

    [Fact]
    public void A_number_of_ghosts_out_of_range_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new GhostSample(default, 15));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GhostSample(default, GhostSample.MaxGhosts + 1));
    }
}
