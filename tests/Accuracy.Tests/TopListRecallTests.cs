using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Tests.Accuracy;

/// <summary>Top lists against the truth: certain bounds, certain items, all of the k heaviest; and that these tests can fail.</summary>
public sealed class TopListRecallTests
{
    private const int K = 100;

    private sealed record Stream(Dictionary<ulong, long> Truth, HeavyHitters Heavy, CountMinSketch Sketch)
    {
        public long Kth => Truth.Values.OrderDescending().ElementAt(K - 1);

        public TopCandidate[] Candidates(Func<HeavyHitter, HeavyHitter> see, bool intersect, out long offset)
        {
            HeavyHitter[] entries = new HeavyHitter[Heavy.Capacity];
            int count = Heavy.CopyTo(entries, out offset);
            return
            [
                .. entries.Take(count).Select(see).Select(
                    e => TopCandidate.From(e.Id, 0, e.Lower, e.Upper, intersect ? Sketch.Estimate(e.Id) : long.MaxValue, 0)),
            ];
        }

        public int Violations(IEnumerable<TopCandidate> candidates) =>
            candidates.Count(c => Truth[c.Id] < c.Lower || Truth[c.Id] > c.Upper);
    }

    private static Stream Of(double exponent, int capacity, int seed)
    {
        ulong[] ids = Streams.Zipf(2_000_000, 400_000, exponent, seed);
        HeavyHitters heavy = new(capacity, new SketchKey(1, 2));
        foreach (ulong id in ids)
            heavy.Add(id, 1);
        CountMinSketch sketch = new(8 << 20, new SketchKey(3, 4));
        sketch.Add(ids, Streams.Ones(ids.Length));
        return new Stream(Streams.Count(ids, Streams.Ones(ids.Length)), heavy, sketch);
    }

    [Theory]
    [InlineData(0.8)]
    [InlineData(1.0)]
    [InlineData(1.2)]
    [InlineData(1.5)]
    public void With_4096_entries_the_100_heaviest_are_all_there_and_bounds_always_hold(double exponent)
    {
        Stream stream = Of(exponent, 4_096, seed: 41);
        TopCandidate[] candidates = stream.Candidates(e => e, intersect: true, out long offset);
        Assert.Equal(0, stream.Violations(candidates));
        HashSet<ulong> known = [.. candidates.Select(c => c.Id)];
        Assert.All(stream.Truth.Where(t => !known.Contains(t.Key)), t => Assert.True(t.Value <= offset));

        TopItem[] top = TopList.Pick(candidates, K, offset);
        Assert.Equal(K, top.Count(item => stream.Truth[item.Candidate.Id] >= stream.Kth)); // ties free
        TopItem[] certain = [.. top.Where(item => item.Certain)];
        Assert.True(certain.Length >= K / 2, $"{certain.Length} certain");
        Assert.All(certain, item => Assert.True(stream.Truth[item.Candidate.Id] >= stream.Kth));
    }

    [Fact]
    public void The_sketch_narrows_what_the_table_alone_knows_and_breaks_nothing()
    {
        Stream stream = Of(0.8, 1_024, seed: 42);
        TopCandidate[] alone = stream.Candidates(e => e, intersect: false, out _), both = stream.Candidates(e => e, intersect: true, out _);
        Assert.Equal((0, 0), (stream.Violations(alone), stream.Violations(both)));
        Assert.All(alone.Zip(both), pair => Assert.True(pair.First.Lower <= pair.Second.Lower && pair.Second.Upper <= pair.First.Upper));
        Assert.True(both.Sum(c => c.Upper - c.Lower) < 0.9 * alone.Sum(c => c.Upper - c.Lower));
    }

    [Fact]
    public void Cut_bounds_are_found_out()
    {
        Stream stream = Of(0.8, 1_024, seed: 43);
        // Whoever forgets what an entry may have weighed before it came in has an upper bound below the truth.
        TopCandidate[] upperCut = stream.Candidates(e => e with { Upper = e.Lower }, intersect: false, out long offset);
        Assert.True(stream.Violations(upperCut) > 100);
        // Whoever counts it as certain has a lower bound above the truth.
        TopCandidate[] lowerRaised = stream.Candidates(e => e with { Lower = e.Upper }, intersect: false, out _);
        Assert.True(stream.Violations(lowerRaised) > 100);
        // And then calls certain who does not belong there.
        TopItem[] top = TopList.Pick(lowerRaised, K, otherwise: 0);
        Assert.Contains(top, item => item.Certain && stream.Truth[item.Candidate.Id] < stream.Kth);
        Assert.DoesNotContain(
            TopList.Pick(stream.Candidates(e => e, intersect: false, out _), K, offset),
            item => item.Certain && stream.Truth[item.Candidate.Id] < stream.Kth);
    }
}
