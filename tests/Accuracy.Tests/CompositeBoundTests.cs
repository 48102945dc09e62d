using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Tests.Accuracy;

public sealed class CompositeBoundTests
{
    private static readonly SketchKey GhostKey = new(21, 22);

    private static SumSketch Fill(double exponent, int seed, out Dictionary<ulong, long> truth)
    {
        ulong[] ids = Streams.Zipf(300_000, 80_000, exponent, seed);
        uint[] sizes = Streams.Lognormal(ids.Length, seed);
        SumSketch sketch = new(128 << 10, SketchKey.Derive("a secret of sixteen bytes or more"u8, "sum", 0, seed), hotCapacity: 64);
        truth = [];
        for (int i = 0; i < ids.Length; i++)
        {
            long delta = (i % 5 == 0 ? -100L : 100L) * sizes[i];
            sketch.Add(ids[i], delta);
            truth[ids[i]] = truth.GetValueOrDefault(ids[i]) + delta;
        }

        return sketch;
    }

    private static (long Quantile, long Median) Error(CountMinSketch? sketch, double confidence)
    {
        GhostSample ghosts = new(GhostKey, 4_096);
        ghosts.Evaluate(sketch is null ? [] : [sketch]);
        return (ghosts.Quantile(confidence), ghosts.Median);
    }

    [Theory]
    [InlineData(0.8, 0.95, 0.945)]
    [InlineData(1.2, 0.95, 0.945)]
    [InlineData(1.0, 0.99, 0.988)]
    public void Signed_values_are_covered_and_not_when_cut(double exponent, double confidence, double least)
    {
        SumSketch sketch = Fill(exponent, 5, out Dictionary<ulong, long> truth);
        Assert.True(sketch.HotCount > 0);
        double side = GhostBound.Shared(confidence, 2);
        (long, long) p = Error(sketch.Positive, side), n = Error(sketch.Negative, side);
        double Coverage((long, long) positive, (long, long) negative) =>
            truth.Count(t =>
            {
                SumParts parts = sketch.Read(t.Key);
                Estimate e = LiveEstimate.FromSigned(
                    parts.Exact, parts.Positive, parts.Negative, positive, negative, confidence, parts.Saturated);
                Assert.True(e.Lower <= e.Value && e.Value <= e.Upper);
                Assert.InRange(t.Value, parts.Exact - (long)parts.Negative, parts.Exact + (long)parts.Positive);
                return e.Lower <= t.Value && t.Value <= e.Upper;
            }) / (double)truth.Count;
        Assert.True(Coverage(p, n) >= least);
        Assert.True(Coverage((p.Item2 / 4, p.Item2 / 4), (n.Item2 / 4, n.Item2 / 4)) < least);
    }

    [Fact]
    public void A_list_is_covered_as_a_whole()
    {
        const int K = 10;
        ulong[] ids = Streams.Zipf(200_000, 60_000, 0.8, seed: 3);
        uint[] ones = Streams.Ones(ids.Length);
        CountMinSketch sketch = new(128 << 10, new SketchKey(1, 2));
        sketch.Add(ids, ones);
        Dictionary<ulong, long> truth = Streams.Count(ids, ones);
        double each = GhostBound.Shared(0.95, K);
        GhostSample ghosts = new(GhostKey, Math.Max(2_048, GhostBound.FewestGhosts(each)));
        ghosts.Evaluate([sketch]);
        long list = ghosts.Quantile(each), single = ghosts.Quantile(0.95);
        ulong[] known = [.. truth.Keys];
        Random random = new(4);
        int covered = 0, cut = 0;
        const int Lists = 2_000;
        for (int i = 0; i < Lists; i++)
        {
            ulong[] some = random.GetItems(known, K);
            covered += some.All(id => sketch.Estimate(id) - list <= truth[id]) ? 1 : 0;
            cut += some.All(id => sketch.Estimate(id) - single <= truth[id]) ? 1 : 0;
        }

        Assert.True(covered >= 0.94 * Lists, $"{covered} of {Lists}");
        Assert.True(cut < 0.94 * Lists, $"{cut} of {Lists} with the bound of a single value");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1_000)]
    public void Group_sums_are_covered_and_not_when_cut(int size)
    {
        ulong[] ids = Streams.Zipf(200_000, 60_000, 1.0, seed: 6);
        uint[] deltas = Streams.Lognormal(ids.Length, 6);
        CountMinSketch sketch = new(128 << 10, new SketchKey(1, 2));
        sketch.Add(ids, deltas);
        Dictionary<ulong, long> truth = Streams.Count(ids, deltas);
        GhostSample ghosts = new(GhostKey, 8_192);
        ghosts.Evaluate([sketch]);
        (long quantile, long median) = ghosts.GroupError(size, 0.95);
        ulong[] known = [.. truth.Keys];
        Random random = new(4);
        const int Groups = 500;
        int covered = 0, cut = 0;
        for (int i = 0; i < Groups; i++)
        {
            ulong[] group = random.GetItems(known, size);
            long u = group.Sum(id => (long)sketch.Estimate(id)), f = group.Sum(id => truth[id]);
            Assert.True(f <= u);
            covered += u - quantile <= f ? 1 : 0;
            cut += u - median / 2 <= f ? 1 : 0;
        }

        Assert.True(covered >= 0.93 * Groups, $"{covered} of {Groups}");
        Assert.True(cut < 0.93 * Groups, $"{cut} of {Groups} with cut bounds");
    }

    [Fact]
    public void Certain_bounds_narrow_probable_ones()
    {
        Estimate estimate = new(50, 40, 60, 0.95);
        Assert.Equal(new Estimate(50, 45, 55, 0.95), estimate.Intersect(45, 55));
        Assert.Equal(new Estimate(58, 58, 60, 0.95), estimate.Intersect(58, 70));
        Assert.Equal(Estimate.Exact(44), estimate.Intersect(44, 44));
        Assert.Equal(new Estimate(30, 30, 30, 0.95), estimate.Intersect(20, 30));
    }

    [Fact]
    public void A_signed_value_without_negatives_is_an_unsigned_one() =>
        Assert.Equal(
            LiveEstimate.From(10, 100, 0, 7, 3, 0.95), LiveEstimate.FromSigned(10, 100, 0, (7, 3), (0, 0), 0.95));
}
