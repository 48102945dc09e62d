using Sketch.Engine.Tables;
using Sketch.Engine.Windows;
using Sketch.Sketches;

namespace Sketch.Tests.Engine;

public sealed class HeaviestCandidatesTests
{
    private const int Ids = 20_000;
    private const int Rows = 400_000;
    private readonly HeaviestCandidates _candidates = new();
    private readonly DeltaTable _table = new();
    private readonly Dictionary<ulong, long> _truth = [];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 1)]
    [InlineData(13, 1)]
    [InlineData(1_000, 1)]
    [InlineData(1_000, 50)]
    public void Sketched_counters_that_are_no_candidates_are_light(int batch, int mostDelta)
    {
        CountMinSketch sketch = new(1 << 20, new SketchKey(1, 2));
        (ulong[] ids, long[] deltas) = Draw(1, mostDelta);
        for (int at = 0; at < ids.Length; at += batch)
        {
            int count = Math.Min(batch, ids.Length - at);
            Sketched(sketch, ids.AsSpan(at, count), deltas.AsSpan(at, count));
        }

        AssertOthersAreLight();
    }

    [Fact]
    public void The_heaviest_are_candidates_when_counters_share_cells()
    {
        CountMinSketch sketch = new(32 << 10, new SketchKey(1, 2));
        (ulong[] ids, long[] deltas) = Draw(1, 1);
        for (int at = 0; at < ids.Length; at += 1_000)
        {
            Sketched(sketch, ids.AsSpan(at, 1_000), deltas.AsSpan(at, 1_000));
        }

        Assert.Contains(_truth, t => sketch.Estimate(t.Key) > t.Value * 2);
        Assert.Superset(_truth.OrderByDescending(t => t.Value).Take(50).Select(t => t.Key).ToHashSet(), Candidates().Select(c => c.Id).ToHashSet());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(-40, 50)]
    public void Exact_counters_that_are_no_candidates_are_light(int leastDelta, int mostDelta)
    {
        (ulong[] ids, long[] deltas) = Draw(leastDelta, mostDelta);
        for (int at = 0; at < ids.Length; at += 1_000)
        {
            Exact(null, ids.AsSpan(at, 1_000), deltas.AsSpan(at, 1_000));
        }

        Assert.All(_truth, t => Assert.Equal((true, t.Value), (_table.TryGet(t.Key, out long sum), sum)));
        AssertOthersAreLight();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    public void Counters_that_are_sketched_in_part_and_exact_in_part_are_weighed_whole(int parts)
    {
        CountMinSketch sketch = new(1 << 20, new SketchKey(1, 2));
        (ulong[] ids, long[] deltas) = Draw(1, 50);
        for (int at = 0; at < ids.Length; at += 1_000)
        {
            int exact = 1_000 / parts;
            Exact(sketch, ids.AsSpan(at, exact), deltas.AsSpan(at, exact));
            Sketched(sketch, ids.AsSpan(at + exact, 1_000 - exact), deltas.AsSpan(at + exact, 1_000 - exact));
        }

        AssertOthersAreLight();
    }

    private void Sketched(CountMinSketch sketch, ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas)
    {
        uint[] narrow = new uint[deltas.Length], estimates = new uint[deltas.Length];
        for (int i = 0; i < narrow.Length; i++)
        {
            narrow[i] = (uint)deltas[i];
        }

        sketch.Add(ids, narrow, estimates);
        _candidates.Offer(ids, narrow, estimates, _table);
    }

    private void Exact(CountMinSketch? sketch, ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas)
    {
        long[] sums = new long[ids.Length];
        _table.Add(ids, deltas, sums);
        _candidates.Offer(ids, deltas, sums, sketch);
    }

    private HeavyHitter[] Candidates()
    {
        HeavyHitter[] found = new HeavyHitter[HeaviestCandidates.Capacity];
        return found[.._candidates.CopyTo(found)];
    }

    private void AssertOthersAreLight()
    {
        HeavyHitter[] entries = Candidates();
        HashSet<ulong> there = [.. entries.Select(e => e.Id)];
        long light = entries.Min(e => e.Upper) * 17 / 16;
        Assert.InRange(entries.Length, HeaviestCandidates.Capacity / 2, HeaviestCandidates.Capacity);
        Assert.All(_truth, t => Assert.True(there.Contains(t.Key) || t.Value <= light, $"{t.Key} has {t.Value} and is no candidate; allowed {light}"));
        Assert.All(_truth.OrderByDescending(t => t.Value).Take(250), t => Assert.Contains(t.Key, there));
    }

    // Zipf, by the inverse of its distribution.
    private (ulong[] Ids, long[] Deltas) Draw(int leastDelta, int mostDelta)
    {
        Random random = new(5);
        double[] below = new double[Ids];
        double sum = 0;
        for (int i = 0; i < Ids; i++)
        {
            below[i] = sum += 1.0 / (i + 1);
        }

        ulong[] ids = new ulong[Rows];
        long[] deltas = new long[Rows];
        for (int i = 0; i < Rows; i++)
        {
            int rank = Array.BinarySearch(below, random.NextDouble() * sum);
            ids[i] = (ulong)(rank < 0 ? ~rank : rank) + 1;
            deltas[i] = random.Next(leastDelta, mostDelta + 1);
            _truth[ids[i]] = _truth.GetValueOrDefault(ids[i]) + deltas[i];
        }

        return (ids, deltas);
    }
}
