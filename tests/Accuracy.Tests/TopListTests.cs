using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Tests.Accuracy;

public sealed class TopListTests
{
    [Theory]
    [InlineData(0.8)]
    [InlineData(1.0)]
    [InlineData(1.2)]
    public void Certain_items_belong_there_and_the_list_is_complete(double exponent)
    {
        const int K = 100, Capacity = 4_096;
        ulong[] ids = Streams.Zipf(1_000_000, 300_000, exponent, seed: 31);
        uint[] ones = Streams.Ones(ids.Length);
        HeavyHitters heavy = new(Capacity, new SketchKey(1, 2));
        CountMinSketch sketch = new(1 << 20, new SketchKey(3, 4));
        foreach (ulong id in ids)
            heavy.Add(id, 1);
        sketch.Add(ids, ones);
        GhostSample ghosts = new(new SketchKey(5, 6));
        ghosts.Evaluate([sketch]);
        HeavyHitter[] entries = new HeavyHitter[Capacity];
        int count = heavy.CopyTo(entries, out long offset);

        TopCandidate[] candidates =
            [.. entries.Take(count).Select(e => TopCandidate.From(e.Id, 0, e.Lower, e.Upper, sketch.Estimate(e.Id), ghosts.Median))];
        TopItem[] top = TopList.Pick(candidates, K, offset);

        Dictionary<ulong, long> truth = Streams.Count(ids, ones);
        long kth = truth.Values.OrderDescending().ElementAt(K - 1);
        Assert.All(top, item => Assert.InRange(truth[item.Candidate.Id], item.Candidate.Lower, item.Candidate.Upper));
        Assert.All(top.Where(i => i.Certain), item => Assert.True(truth[item.Candidate.Id] >= kth));
        Assert.True(top.Count(i => i.Certain) >= K / 2, $"{top.Count(i => i.Certain)} certain");
        // Recall, ties free.
        Assert.Equal(K, top.Count(i => truth[i.Candidate.Id] >= kth));
    }

    [Fact]
    public void One_whose_rival_may_be_heavier_is_not_certain()
    {
        TopItem[] top = TopList.Pick([new TopCandidate(1, 3, 0, 10), new TopCandidate(2, 5, 5, 5)], 1, otherwise: 0);
        Assert.Equal(new TopItem(new TopCandidate(2, 5, 5, 5), false), Assert.Single(top));
    }

    [Fact]
    public void One_below_those_who_are_no_candidates_is_not_certain()
    {
        TopItem[] top = TopList.Pick([new TopCandidate(1, 30, 30, 30), new TopCandidate(2, 5, 5, 5)], 2, otherwise: 9);
        Assert.Equal([true, false], top.Select(i => i.Certain));
    }

    [Fact]
    public void Random_lists_never_call_certain_who_may_be_outside()
    {
        Random random = new(3);
        int certain = 0;
        for (int round = 0; round < 3_000; round++)
        {
            int n = 1 + random.Next(12), k = 1 + random.Next(6);
            TopCandidate[] candidates = new TopCandidate[n];
            long[] truth = new long[n];
            for (int i = 0; i < n; i++)
            {
                truth[i] = random.Next(40);
                long lower = truth[i] - random.Next(1 + (int)truth[i] / 4), upper = truth[i] + random.Next(6);
                candidates[i] = new TopCandidate((ulong)i, random.NextInt64(lower, upper + 1), lower, upper);
            }

            foreach (TopItem item in TopList.Pick(candidates, k, otherwise: 4).Where(i => i.Certain))
            {
                certain++;
                Assert.True(truth.Count(t => t > truth[(int)item.Candidate.Id]) < k);
            }
        }

        Assert.True(certain > 1_000);
    }

    [Fact]
    public void Candidates_intersect_table_and_sketch()
    {
        Assert.Equal(new TopCandidate(9, 117, 110, 118), TopCandidate.From(9, 100, 10, 30, 18, 1));
        Assert.Equal(new TopCandidate(9, 130, 110, 130), TopCandidate.From(9, 100, 10, 30, long.MaxValue, 1));
        Assert.Equal(new TopCandidate(9, 110, 110, 111), TopCandidate.From(9, 100, 10, 30, 11, 5));
    }
}
