using Sketch.Engine.Tables;
using Sketch.Engine.Windows;
using Sketch.Sketches;

namespace Sketch.Tests.Engine;

public sealed class HeaviestCandidatesTests
{
    private const int Ids = 20_000;
    private const int Rows = 400_000;
    private readonly HeaviestCandidates _candidates = new();
    private readonly Dictionary<ulong, long> _truth = [];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 1)]
    [InlineData(1_000, 1)]
    [InlineData(1_000, 50)]
    public void Sketched_counters_that_are_no_candidates_are_light(int batch, int mostDelta)
    {
        CountMinSketch sketch = new(1 << 20, new SketchKey(1, 2));
        (ulong[] ids, long[] deltas) = Draw(1, mostDelta);
        uint[] narrow = [.. deltas.Select(d => (uint)d)];
        uint[] estimates = new uint[batch];
        for (int at = 0; at < ids.Length; at += batch)
        {
            int count = Math.Min(batch, ids.Length - at);
            sketch.Add(ids.AsSpan(at, count), narrow.AsSpan(at, count), estimates.AsSpan(0, count));
            _candidates.Offer(ids.AsSpan(at, count), narrow.AsSpan(at, count), estimates.AsSpan(0, count));
        }

        AssertOthersAreLight();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(-40, 50)]
    public void Exact_counters_that_are_no_candidates_are_light(int leastDelta, int mostDelta)
    {
        DeltaTable table = new();
        (ulong[] ids, long[] deltas) = Draw(leastDelta, mostDelta);
        long[] sums = new long[1_000];
        for (int at = 0; at < ids.Length; at += 1_000)
        {
            table.Add(ids.AsSpan(at, 1_000), deltas.AsSpan(at, 1_000), sums);
            _candidates.Offer(ids.AsSpan(at, 1_000), deltas.AsSpan(at, 1_000), sums);
        }

        Assert.All(_truth, t => Assert.Equal((true, t.Value), (table.TryGet(t.Key, out long sum), sum)));
        AssertOthersAreLight();
    }

    private void AssertOthersAreLight()
    {
        HeavyHitter[] found = new HeavyHitter[HeaviestCandidates.Capacity];
        HeavyHitter[] entries = found[.._candidates.CopyTo(found)];
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
