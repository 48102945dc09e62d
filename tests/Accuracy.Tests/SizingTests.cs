using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Tests.Accuracy;

public sealed class SizingTests
{
    private static SumWish Wish(long error, double perSecond, long ids) =>
        new() { AbsoluteError = error, IncrementsPerSecond = perSecond, DistinctIds = ids, WindowSeconds = 1, Confidence = 0.99 };

    [Theory]
    [InlineData(5, 0.0)]
    [InlineData(20, 0.0)]
    [InlineData(20, 0.8)]
    [InlineData(3, 1.1)]
    public void A_real_window_keeps_the_wish_that_its_sketch_was_sized_for(long error, double exponent)
    {
        const int Increments = 200_000, Ids = 80_000;
        SumPlan plan = Sizing.ForSums(Wish(error, Increments, Ids));
        Assert.True(plan.Fulfilled);
        Assert.True(plan.ErrorAtMost <= error);

        CountMinSketch sketch = new(plan.MemoryBytes, new SketchKey(1, 2));
        Assert.Equal((plan.MemoryBytes, plan.Width), (sketch.MemoryBytes, sketch.Width));
        ulong[] ids = Streams.Zipf(Increments, Ids, exponent, seed: 4);
        sketch.Add(ids, Streams.Ones(Increments));
        GhostSample ghosts = new(new SketchKey(3, 4));
        ghosts.Evaluate([sketch]);
        Assert.InRange(ghosts.Quantile(0.99), 0, error);
    }

    [Fact]
    public void A_larger_wish_takes_more_memory_and_the_plan_is_the_smallest()
    {
        SumPlan coarse = Sizing.ForSums(Wish(100, 1e6, 1_000_000)), fine = Sizing.ForSums(Wish(5, 1e6, 1_000_000));
        Assert.True(fine.MemoryBytes > 10 * coarse.MemoryBytes);
        Assert.True(Sizing.ErrorAtMost(coarse.MemoryBytes - 128, 1e6, 1e6, 0.99) > 100);
        Assert.True(coarse.ErrorIfEven <= coarse.ErrorAtMost);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(400)]
    public void A_plan_s_memory_gives_its_error_back(long error)
    {
        SumWish wish = Wish(error, 1e6, 1_000_000);
        SumPlan plan = Sizing.ForSums(wish);
        Assert.Equal(plan, Sizing.OfMemory(plan.MemoryBytes + 100, wish with { AbsoluteError = null }));
        Assert.True(Sizing.OfMemory(plan.MemoryBytes / 2, wish).ErrorAtMost > error);
        Assert.Throws<ArgumentOutOfRangeException>(() => Sizing.OfMemory(100, wish));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sizing.OfMemory(1 << 20, wish with { DistinctIds = 0 }));
    }

    [Fact]
    public void A_precision_gives_its_error_back()
    {
        DistinctPlan plan = Sizing.ForDistinct(0.04, 0.95);
        Assert.Equal(plan, Sizing.OfPrecision(plan.Precision, 0.95));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sizing.OfPrecision(19, 0.95));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sizing.OfPrecision(12, 1));
    }

    [Theory]
    [InlineData(0.02, 0.95)]
    [InlineData(0.1, 0.99)]
    public void Real_counters_keep_the_wish_that_their_precision_was_sized_for(double error, double confidence)
    {
        const int Trials = 300;
        DistinctPlan plan = Sizing.ForDistinct(error, confidence);
        int elements = 20 << plan.Precision > 200_000 ? 200_000 : 20 << plan.Precision, kept = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            HyperLogLog state = new(1, plan.Precision);
            for (int n = 0; n < elements; n++)
                state.Add(Streams.Id(((ulong)(trial + 1) << 32) + (ulong)n));
            kept += Math.Abs(state.Estimate() / elements - 1) <= error ? 1 : 0;
        }

        // Three standard errors of a share of 300 below.
        Assert.True(kept >= Trials * (confidence - 3 * Math.Sqrt(confidence * (1 - confidence) / Trials)), $"{kept} of {Trials}");
    }

    [Fact]
    public void No_error_at_all_is_possible_with_room()
    {
        SumPlan plan = Sizing.ForSums(Wish(0, 1e6, 100_000));
        Assert.True(plan.Fulfilled);
        Assert.Equal(0, plan.ErrorAtMost);
        Assert.InRange(plan.MemoryBytes, 1 << 20, 16 << 20);
    }

    [Fact]
    public void Relative_wishes_are_about_values_of_a_size()
    {
        SumWish wish = new() { RelativeError = 0.01, OfAtLeast = 10_000, IncrementsPerSecond = 1e6, DistinctIds = 1_000_000, WindowSeconds = 1 };
        Assert.Equal(Sizing.ForSums(Wish(100, 1e6, 1_000_000)), Sizing.ForSums(wish));
    }

    [Fact]
    public void What_memory_cannot_do_a_shorter_window_does()
    {
        SumWish wish = Wish(10, 1e6, 50_000_000) with { WindowSeconds = 64, MaxMemoryBytes = 64 << 20 };
        SumPlan plan = Sizing.ForSums(wish);
        Assert.True(plan.Fulfilled);
        Assert.InRange(plan.WindowSeconds, 1, 32);
    }

    [Fact]
    public void A_wish_that_cannot_be_kept_says_so()
    {
        SumPlan plan = Sizing.ForSums(Wish(0, 1e9, 1_000_000_000) with { MaxMemoryBytes = 1 << 20, MeanDelta = 10 });
        Assert.False(plan.Fulfilled);
        Assert.Contains("does not keep the wish", plan.Explain(), StringComparison.Ordinal);
        Assert.Contains("saturates its cells", plan.Explain(), StringComparison.Ordinal);
        Assert.False(Sizing.ForDistinct(0.0001, 0.99).Fulfilled);
    }

    [Fact]
    public void Plans_explain_themselves()
    {
        string text = Sizing.ForSums(Wish(100, 1e6, 1_000_000)).Explain();
        Assert.Contains("rows of", text, StringComparison.Ordinal);
        Assert.Contains("never too low", text, StringComparison.Ordinal);
        Assert.Contains("99 %", text, StringComparison.Ordinal);
        Assert.Contains("Precision 12: 4,096 bytes", Sizing.ForDistinct(0.04, 0.95).Explain(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.04, 0.95, 12)]
    [InlineData(0.01, 0.95, 16)]
    [InlineData(0.5, 0.99, 5)]
    public void Precision_follows_from_error_and_confidence(double error, double confidence, int precision)
    {
        DistinctPlan plan = Sizing.ForDistinct(error, confidence);
        Assert.Equal(precision, plan.Precision);
        Assert.True(plan.ErrorAtMost <= error);
    }

    [Fact]
    public void Bad_wishes_name_the_field()
    {
        string Refusal(SumWish wish) => Assert.ThrowsAny<ArgumentException>(() => Sizing.ForSums(wish)).Message;
        SumWish good = Wish(5, 1e6, 1_000);
        Assert.StartsWith("absoluteError is -1; allowed 0 or more", Refusal(good with { AbsoluteError = -1 }), StringComparison.Ordinal);
        Assert.StartsWith("absoluteError and relativeError", Refusal(good with { RelativeError = 0.1 }), StringComparison.Ordinal);
        Assert.StartsWith("confidence is 1; allowed", Refusal(good with { Confidence = 1 }), StringComparison.Ordinal);
        Assert.StartsWith("distinctIds is 0; allowed", Refusal(good with { DistinctIds = 0 }), StringComparison.Ordinal);
        Assert.StartsWith("windowSeconds is 0; allowed", Refusal(good with { WindowSeconds = 0 }), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Sizing.ForDistinct(0, 0.95));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sizing.HeavyHitterCapacity(0));
        Assert.Equal(4_000, Sizing.HeavyHitterCapacity(100));
    }
}
