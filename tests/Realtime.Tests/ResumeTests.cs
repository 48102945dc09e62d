using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class ResumeTests
{
    [Theory, MemberData(nameof(SubscribeTests.Protocols), MemberType = typeof(SubscribeTests))]
    public async Task A_subscriber_that_comes_back_goes_on_where_it_was_and_hears_what_it_missed(string protocol)
    {
        await using var host = await LiveHost.StartAsync();
        host.Reader.Set("a", 1);
        host.Reader.Set("b", 1);
        CounterFrame last;
        await using (var client = await host.ConnectAsync(protocol))
        {
            Assert.True((await client.SubscribeAsync("a", "b")).Snapshot.Snapshot);
            host.Reader.Set("a", 2);
            await host.TickAsync();
            last = await client.NextAsync();
            Assert.Equal((2L, false), (last.Number, last.Snapshot));
        }

        await Eventually.TrueAsync(() => host.Broadcaster.Count == 0, "the subscription to end");
        host.Reader.Set("a", 3);
        host.Reader.Remove("b");
        host.Time.Advance(TimeSpan.FromMilliseconds(500));

        await using var again = await host.ConnectAsync(protocol);
        var request = new SubscriptionRequest
        {
            Namespace = MemoryReader.Namespace,
            Names = ["a", "b"],
            IntervalMs = 50,
            Resume = new ResumePoint { Number = last.Number, AsOf = last.AsOf },
        };
        var frame = (await again.SubscribeAsync(request)).Snapshot;
        Assert.Equal((3L, 9L, true), (frame.Number, frame.Skipped, frame.Snapshot));
        Assert.True(frame.AsOf >= last.AsOf);
        Assert.Equal([("a", 3L)], frame.Values.Select(value => (value.Name, value.Value)));

        host.Reader.Set("a", 4);
        await host.TickAsync();
        var next = await again.NextAsync();
        Assert.Equal((4L, 0L, false), (next.Number, next.Skipped, next.Snapshot));
        Assert.Equal(3, (await WatchTests.FirstAsync(again, request)).Number);
    }

    [Fact]
    public async Task Frames_never_go_back_in_time_when_the_clock_does()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        host.Reader.Set("a", 1);
        var first = (await client.SubscribeAsync("a")).Snapshot;
        host.Reader.Time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(first.AsOf.AddHours(-1));
        host.Reader.Set("a", 2);
        await host.TickAsync();
        Assert.Equal(first.AsOf, (await client.NextAsync()).AsOf);
    }
}
