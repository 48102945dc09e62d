using Sketch.Engine.Reads;

namespace Sketch.Tests.Engine;

public class RateTests
{
    [Fact]
    public async Task A_watched_counter_has_the_rate_of_the_last_seconds_and_of_the_last_minutes()
    {
        await using Rig rig = await Rig.Open();
        await rig.Add("page", 10);
        rig.Read("page");
        for (int second = 0; second < 300; second++)
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            await rig.Add("page", second < 290 ? 10 : 100);
            rig.Read("page");
        }

        CounterValue value = rig.Read("page")!;
        Assert.InRange(value.RatePerSecond, 95, 105);
        Assert.InRange(value.RatePerSecond5m, 12, 14);

        rig.Time.Advance(TimeSpan.FromSeconds(1));
        for (int second = 0; second < 6; second++)
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            rig.Read("page");
        }

        Assert.Equal(0, rig.Read("page")!.RatePerSecond);
        Assert.InRange(rig.Read("page")!.RatePerSecond5m, 12, 14);
    }

    [Fact]
    public void Memory_is_bounded_and_who_is_read_no_more_makes_room()
    {
        RateBook book = new();
        for (ulong id = 1; id <= RateBook.MaxCounters; id++)
        {
            book.Mark(id, 0, 0);
        }

        Assert.Equal((null, null), book.Mark(0, 60_000, 0));
        Assert.Equal((null, null), book.Mark(0, 61_000, 100));
        Assert.Equal((null, null), book.Mark(0, 700_000, 0));
        Assert.Equal(100, book.Mark(0, 701_000, 100).Lately);
    }
}
