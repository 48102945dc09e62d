using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class SubscribeTests
{
    public static TheoryData<string> Protocols => ["json", "messagepack"];

    [Theory, MemberData(nameof(Protocols))]
    public async Task The_first_snapshot_holds_the_whole_value_object(string protocol)
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync(protocol);
        host.Reader.Set("pages", long.MaxValue - 7, 17);

        var reply = await client.SubscribeAsync(new SubscriptionRequest
        {
            Namespace = MemoryReader.Namespace,
            Names = ["pages", "missing"],
            IntervalMs = 120,
            Confidence = 0.9,
        });

        Assert.Equal(150, reply.IntervalMs);
        Assert.Equal((1L, 0L, reply.Subscription), (reply.Snapshot.Number, reply.Snapshot.Skipped, reply.Snapshot.Subscription));
        Assert.Equal(host.Time.GetUtcNow().UtcDateTime, reply.Snapshot.AsOf);
        var value = Assert.Single(reply.Snapshot.Values);
        Assert.Equal(
            (MemoryReader.Namespace, "pages", "sum", "approximate"), (value.Namespace, value.Name, value.Kind, value.Tier));
        Assert.Equal((long.MaxValue - 7, long.MaxValue - 24, long.MaxValue - 7), (value.Value, value.Lower, value.Upper));
        Assert.Equal((0.9, false, 2.5), (value.Confidence, value.Exact, value.RatePerSecond));
        Assert.Equal(MemoryReader.Checkpoint.UtcDateTime, value.ExactAsOf);
        Assert.Equal("en", value.Labels["lang"]);
    }

    [Theory, MemberData(nameof(Protocols))]
    public async Task Frames_hold_only_what_changed_and_count_up(string protocol)
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync(protocol);
        host.Reader.Set("a", 1);
        host.Reader.Set("b", 1);
        var reply = await client.SubscribeAsync("a", "b", "c");
        Assert.Equal(["a", "b"], reply.Snapshot.Values.Select(value => value.Name));

        host.Reader.Set("b", 2);
        await host.TickAsync();
        var second = await client.NextAsync();
        Assert.Equal([("b", 2L)], second.Values.Select(value => (value.Name, value.Value)));
        Assert.Equal((2L, 0L, reply.Subscription), (second.Number, second.Skipped, second.Subscription));

        host.Reader.Set("c", 3);
        host.Reader.Remove("a");
        await host.TickAsync();
        var third = await client.NextAsync();
        Assert.Equal([("c", 3L)], third.Values.Select(value => (value.Name, value.Value)));
        Assert.Equal(["a"], third.Removed!);
        Assert.Equal(3, third.Number);
    }

    [Fact]
    public async Task Nothing_is_sent_while_nothing_changes_until_the_heartbeat()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        host.Reader.Set("a", 1);
        await client.SubscribeAsync("a");

        for (int elapsed = 0; elapsed < RealtimeLimits.HeartbeatMs - 50; elapsed += 50)
            await host.TickAsync();
        await client.DrainAsync();
        Assert.False(client.HasFrame);

        await host.TickAsync();
        var heartbeat = await client.NextAsync();
        Assert.Empty(heartbeat.Values);
        Assert.Equal((2L, 0L), (heartbeat.Number, heartbeat.Skipped));
        Assert.Equal(host.Time.GetUtcNow().UtcDateTime, heartbeat.AsOf);
    }

    [Fact]
    public async Task Each_subscription_keeps_its_interval()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        host.Reader.Set("a", 0);
        await client.SubscribeAsync(new SubscriptionRequest { Namespace = MemoryReader.Namespace, Names = ["a"], IntervalMs = 200 });

        for (int tick = 1; tick <= 8; tick++)
        {
            host.Reader.Set("a", tick);
            await host.TickAsync();
        }

        Assert.Equal(4, (await client.NextAsync()).Values.Single().Value);
        Assert.Equal(8, (await client.NextAsync()).Values.Single().Value);
        await client.DrainAsync();
        Assert.False(client.HasFrame);
    }

    [Fact]
    public async Task After_unsubscribe_no_frame_follows()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        host.Reader.Set("a", 1);
        var reply = await client.SubscribeAsync("a");
        await client.Connection.InvokeCoreAsync("Unsubscribe", typeof(object), [reply.Subscription]);

        host.Reader.Set("a", 2);
        await client.SubscribeAsync("b");
        await host.TickAsync();
        await client.DrainAsync();
        Assert.False(client.HasFrame);
        Assert.Equal(1, host.Broadcaster.Count);
    }

    [Fact]
    public async Task A_disconnect_ends_all_subscriptions_of_the_connection()
    {
        await using var host = await LiveHost.StartAsync();
        await using (var client = await host.ConnectAsync())
        {
            await client.SubscribeAsync("a");
            await client.SubscribeAsync("b");
            Assert.Equal(2, host.Broadcaster.Count);
        }

        await Eventually.TrueAsync(() => host.Broadcaster.Count == 0, "the subscriptions to end");
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => host.Broadcaster.Groups == 0, "the watched counters to be let go");
    }
}
