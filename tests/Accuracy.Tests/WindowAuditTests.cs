using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Tests.Accuracy;

public sealed class WindowAuditTests
{
    private static readonly double[] Confidences = [0.95, 0.99];

    private static (CountMinSketch Sketch, Dictionary<ulong, long> Truth) Window(int seed)
    {
        ulong[] ids = Streams.Zipf(60_000, 20_000, 0.9, seed);
        uint[] deltas = Streams.Lognormal(ids.Length, seed);
        CountMinSketch sketch = new(32 << 10, new SketchKey((ulong)seed, 2));
        sketch.Add(ids, deltas);
        return (sketch, Streams.Count(ids, deltas));
    }

    private static CoverageTally[] Audit(int windows, Func<GhostSample, WindowAudit> begin)
    {
        CoverageTally[] tallies = [.. Confidences.Select(c => new CoverageTally(c))];
        GhostSample ghosts = new(new SketchKey(5, 6), 4_096);
        for (int seed = 1; seed <= windows; seed++)
        {
            (CountMinSketch sketch, Dictionary<ulong, long> truth) = Window(seed);
            ghosts.Evaluate([sketch]);
            WindowAudit audit = begin(ghosts);
            foreach ((ulong id, long sum) in truth)
                audit.Add(sketch.Estimate(id), sum);
            Assert.Equal(truth.Count, audit.Counters);
            Assert.Equal(0, audit.AboveUpper);
            for (int i = 0; i < tallies.Length; i++)
                tallies[i].Add(audit.Counters, audit.Covered(i), audit.Ghosts);
        }

        return tallies;
    }

    [Fact]
    public void True_bounds_hold() =>
        Assert.All(Audit(6, ghosts => new WindowAudit(ghosts, Confidences)), t => Assert.True(t.IsTelling && !t.FallsShort, $"{t.Coverage} of {t.Confidence}"));

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Cut_bounds_are_found_out(int by) =>
        Assert.All(
            Audit(1, ghosts => new WindowAudit(
                [ghosts.Quantile(0.95) / by, ghosts.Quantile(0.99) / by], ghosts.Median, ghosts.Count, Confidences)),
            t => Assert.True(t.FallsShort, $"{t.Coverage} of {t.Confidence}"));

    [Fact]
    public void Bounds_of_a_lower_confidence_sold_as_a_higher_one_are_found_out()
    {
        CoverageTally[] tallies = Audit(
            6, ghosts => new WindowAudit([ghosts.Quantile(0.80), ghosts.Quantile(0.90)], ghosts.Median, ghosts.Count, Confidences));
        Assert.All(tallies, t => Assert.True(t.FallsShort, $"{t.Coverage} of {t.Confidence}"));
    }

    [Fact]
    public void Errors_are_those_of_the_values()
    {
        WindowAudit audit = new([3, 5], 2, 100, Confidences);
        audit.Add(10, 10); // stands out: its value is the estimate
        audit.Add(5, 0); // value 3
        audit.Add(9, 8);
        audit.Add(0, 0);
        audit.Add(4, 6); // impossible, unless something is broken
        Assert.Equal((5, 1, 4), (audit.Counters, audit.AboveUpper, audit.LargestError));
        Assert.Equal((0 + 3 + 1 + 0 - 4) / 5.0, audit.Bias, 12);
        Assert.Equal((3, 4), (audit.Covered(0), audit.Covered(1)));
    }

    [Fact]
    public void A_full_cell_has_no_upper_bound()
    {
        WindowAudit audit = new([3], 2, 100, [0.95]);
        audit.Add(CountMinSketch.SaturatedEstimate, 1L << 40);
        Assert.Equal((1, 0), (audit.Covered(0), audit.AboveUpper));
    }

    [Fact]
    public void Chance_is_told_apart_from_a_fault()
    {
        // Windows of n counters and G ghosts, each keeping the promise exactly: the tally must scatter as it says, and seldom cry wolf.
        const int Runs = 4_000, Counters = 2_000, Ghosts = 2_048;
        Random random = new(7);
        int cried = 0;
        double squares = 0;
        for (int run = 0; run < Runs; run++)
        {
            CoverageTally tally = new(0.95);
            for (int window = 0; window < 3; window++)
            {
                // Where the plain quantile of G ghosts falls, then how many of n counters fall below it.
                double share = 0.95 + Normal(random) * Math.Sqrt(0.95 * 0.05 / Ghosts);
                double covered = Counters * share + Normal(random) * Math.Sqrt(Counters * share * (1 - share));
                tally.Add(Counters, (int)Math.Clamp(Math.Round(covered), 0, Counters), Ghosts);
            }

            squares += Math.Pow((tally.Coverage - 0.95) / tally.StandardError, 2);
            cried += tally.FallsShort ? 1 : 0;
        }

        Assert.InRange(Math.Sqrt(squares / Runs), 0.95, 1.05);
        Assert.InRange(cried, 0, 15); // 0.13 % of 4,000 are 5
    }

    [Fact]
    public void Too_few_counters_say_nothing()
    {
        CoverageTally tally = new(0.99);
        tally.Add(500, 400, 4_096);
        Assert.False(tally.IsTelling || tally.FallsShort);
        tally.Add(600, 500, 4_096);
        Assert.True(tally.IsTelling && tally.FallsShort);
    }

    [Fact]
    public void A_window_can_be_taken_out_again()
    {
        CoverageTally tally = new(0.95), same = new(0.95);
        tally.Add(1_000, 10, 64);
        tally.Add(3_000, 2_900, 2_048);
        same.Add(3_000, 2_900, 2_048);
        tally.Remove(1_000, 10, 64);
        Assert.Equal((same.Counters, same.Covered), (tally.Counters, tally.Covered));
        Assert.Equal(same.StandardError, tally.StandardError, 12);
        tally.Remove(3_000, 2_900, 2_048);
        Assert.Equal((0, 1.0, 0.0), (tally.Counters, tally.Coverage, tally.StandardError));
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new CoverageTally(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CoverageTally(0.9).Add(1, 2, 16));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CoverageTally(0.9).Add(1, 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WindowAudit([3], 2, 100, [0.95]).Add(1, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WindowAudit(new GhostSample(new SketchKey(1, 2), 16)));
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
