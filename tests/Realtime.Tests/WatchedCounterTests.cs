using Sketch.Engine.Reads;
using Sketch.Realtime.Broadcast;

namespace Sketch.Tests.Realtime;

public sealed class WatchedCounterTests
{
    private static readonly CounterValue Estimate = new(
        "words", "the", "sum", "approximate", 100, 90, 105, 0.99, false, MemoryReader.Checkpoint, 10, new Dictionary<string, string> { ["a"] = "b" });

    private static readonly CounterValue Exact = Estimate with { Lower = 100, Upper = 100, Confidence = 1, Exact = true };

    public static TheoryData<string, CounterValue, CounterValue, bool> Steps => new()
    {
        { "nothing", Estimate, Estimate with { }, false },
        { "equal labels in another dictionary", Estimate, Estimate with { Labels = new Dictionary<string, string> { ["a"] = "b" } }, false },
        { "value", Estimate, Estimate with { Value = 101 }, true },
        { "lower", Estimate, Estimate with { Lower = 91 }, true },
        { "upper", Estimate, Estimate with { Upper = 104 }, true },
        { "exact", Estimate with { Lower = 100, Upper = 100 }, Exact, true },
        { "tier", Exact, Exact with { Tier = "strong" }, true },
        { "label", Estimate, Estimate with { Labels = new Dictionary<string, string> { ["a"] = "c" } }, true },
        { "a rate that drifts", Estimate, Estimate with { RatePerSecond = 10.4 }, false },
        { "a rate that turns", Estimate, Estimate with { RatePerSecond = 9 }, true },
        { "an estimate's mark", Estimate, Estimate with { ExactAsOf = MemoryReader.Checkpoint.AddMilliseconds(20) }, true },
        { "a resting counter's mark, at once", Exact, Exact with { ExactAsOf = MemoryReader.Checkpoint.AddSeconds(4) }, false },
        { "a resting counter's mark, at length", Exact, Exact with { ExactAsOf = MemoryReader.Checkpoint.AddSeconds(5) }, true },
    };

    [Theory, MemberData(nameof(Steps))]
    public void Only_what_a_reader_would_notice_is_news(string what, CounterValue before, CounterValue after, bool isNews)
    {
        var counter = new WatchedCounter("the");
        counter.Update(before, 1);
        counter.Update(after, 2);
        Assert.True(counter.ChangedRound == (isNews ? 2 : 1), what);
        Assert.Equal(isNews ? after.Value : before.Value, counter.Current!.Value);
    }

    [Fact]
    public void The_value_stays_within_bounds_shown_before_until_the_counter_surely_changed()
    {
        var counter = new WatchedCounter("the");
        long[] shown =
        [
            Read(100, 90, 105),
            Read(108, 95, 112), // may be 105 still, and no more than that if it did not change
            Read(120, 104, 125),
            Read(121, 106, 126), // more than it can have been: it changed
            Read(126, 100, 130), // noise again
            Read(126, 126, 126),
            Read(90, 90, 90),
        ];
        Assert.Equal([100, 105, 105, 121, 126, 126, 90], shown);

        long Read(long value, long lower, long upper)
        {
            counter.Update(Estimate with { Value = value, Lower = lower, Upper = upper }, counter.ChangedRound + 1);
            Assert.InRange(counter.Current!.Value, counter.Current.Lower, counter.Current.Upper);
            return counter.Current.Value;
        }
    }

    [Fact]
    public void A_drift_that_adds_up_becomes_news()
    {
        var counter = new WatchedCounter("the");
        for (int round = 1; round <= 4; round++)
            counter.Update(Estimate with { RatePerSecond = 10 + (0.2 * (round - 1)) }, round);
        Assert.Equal(4, counter.ChangedRound);
    }
}
