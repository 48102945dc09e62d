using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR.Client;
using Sketch.Realtime.Alerts;

namespace Sketch.Tests.Realtime;

public sealed class AlertTests
{
    private static readonly AlertRule Rule = new(
        MemoryReader.Namespace, "busy", "a", IsRate: false, IsAbove: true, Limit: 100, IsSure: true, Confidence: 0.99, OverSeconds: 5, ForSeconds: 0, Webhook: null);

    // Bounds are value - width to value.
    [Theory]
    [InlineData(true, true, 109, 10, "ok")]
    [InlineData(true, true, 110, 10, "firing")]
    [InlineData(true, false, 99, 10, "ok")]
    [InlineData(true, false, 100, 10, "firing")]
    [InlineData(false, true, 101, 10, "ok")]
    [InlineData(false, true, 100, 10, "firing")]
    [InlineData(false, false, 111, 10, "ok")]
    [InlineData(false, false, 110, 10, "firing")]
    public async Task Surely_asks_the_farther_bound_and_maybe_the_nearer_one(bool above, bool surely, long value, long width, string state)
    {
        await using var host = await LiveHost.StartAsync();
        host.Reader.Set("a", value, width);
        await host.Alerts.PutAsync(Rule with { IsAbove = above, IsSure = surely }, default);
        Assert.Equal("unknown", host.Alerts.Find(MemoryReader.Namespace, "busy")!.State);
        await host.JudgeAsync();
        var alert = host.Alerts.Find(MemoryReader.Namespace, "busy")!;
        Assert.Equal((state, value, value - width, value), (alert.State, alert.Value, alert.Lower, alert.Upper));
    }

    [Fact]
    public async Task A_rate_is_as_sure_as_both_of_its_readings()
    {
        await using var host = await LiveHost.StartAsync();
        await host.Alerts.PutAsync(Rule with { Id = "surely", IsRate = true, Limit = 10, OverSeconds = 2 }, default);
        await host.Alerts.PutAsync(Rule with { Id = "maybe", IsRate = true, Limit = 10, OverSeconds = 2, IsSure = false }, default);
        for (int second = 0; second <= 4; second++)
        {
            // 12 a second, but each reading may be 10 too high: over 2 seconds 7 to 17 a second.
            host.Reader.Set("a", 1_000 + (12 * second), width: 10);
            await host.JudgeAsync();
        }

        var maybe = host.Alerts.Find(MemoryReader.Namespace, "maybe")!;
        Assert.Equal(("firing", 12.0, 7.0, 17.0), (maybe.State, maybe.Value, maybe.Lower, maybe.Upper));
        Assert.Equal("ok", host.Alerts.Find(MemoryReader.Namespace, "surely")!.State);
    }

    [Fact]
    public async Task It_must_hold_as_long_as_the_rule_says()
    {
        await using var host = await LiveHost.StartAsync();
        await host.Alerts.PutAsync(Rule with { ForSeconds = 2 }, default);
        var states = new List<string>();
        foreach (long value in (long[])[100, 100, 50, 100, 100, 100, 50])
        {
            host.Reader.Set("a", value);
            await host.JudgeAsync();
            states.Add(host.Alerts.Find(MemoryReader.Namespace, "busy")!.State);
        }

        Assert.Equal(["ok", "ok", "ok", "ok", "ok", "firing", "ok"], states);
    }

    [Theory, MemberData(nameof(SubscribeTests.Protocols), MemberType = typeof(SubscribeTests))]
    public async Task The_hub_tells_of_every_change(string protocol)
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync(protocol);
        var heard = Channel.CreateUnbounded<Alert>();
        client.Connection.On<Alert>("OnAlert", alert => heard.Writer.TryWrite(alert));
        await host.Alerts.PutAsync(Rule with { Id = "before" }, default);
        var reply = await client.Connection.InvokeAsync<AlertsReply>("SubscribeAlerts", new AlertsRequest { Namespace = MemoryReader.Namespace });
        Assert.Equal("before", Assert.Single(reply.Alerts).Id);

        host.Reader.Set("a", 1);
        await host.Alerts.PutAsync(Rule, default);
        Assert.Equal(("busy", "unknown"), await NextAsync());
        await host.JudgeAsync();
        Assert.Equal(("before", "ok"), await NextAsync());
        Assert.Equal(("busy", "ok"), await NextAsync());
        await host.Alerts.DeleteAsync(MemoryReader.Namespace, "before", default);
        Assert.Equal(("before", "deleted"), await NextAsync());
        host.Reader.Set("a", 500);
        await host.JudgeAsync();
        Assert.Equal(("busy", "firing"), await NextAsync());
        host.Reader.Remove("a");
        await host.JudgeAsync();
        Assert.Equal(("busy", "unknown"), await NextAsync());

        await client.Connection.InvokeCoreAsync("Unsubscribe", typeof(object), [reply.Subscription]);
        host.Reader.Set("a", 1);
        await host.JudgeAsync();
        await client.DrainAsync();
        Assert.False(heard.Reader.TryPeek(out _));

        async Task<(string, string)> NextAsync()
        {
            using var deadline = new CancellationTokenSource(Eventually.Deadline);
            var alert = await heard.Reader.ReadAsync(deadline.Token);
            return (alert.Id, alert.State);
        }
    }

    [Fact]
    public void A_rate_that_fired_before_a_restart_fires_until_it_is_judged_calm()
    {
        DateTime start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var state = new AlertState(Rule with { IsRate = true, Limit = 10, OverSeconds = 2 }, start);
        state.Resume(new FiringAlert(MemoryReader.Namespace, "busy", start.AddDays(-1)));
        MemoryReader reader = new();
        List<bool> firing = [];
        for (int second = 0; second < 4; second++)
        {
            reader.Set("a", 100 + second);
            state.Judge(reader.Read(MemoryReader.Namespace, ["a"], 0.99)[0], start.AddSeconds(second));
            firing.Add(state.IsFiring);
        }

        Assert.Equal([true, true, false, false], firing);
    }

    [Fact]
    public async Task A_listener_that_sleeps_holds_one_slot_a_rule_and_hears_the_newest()
    {
        var feed = new AlertFeed();
        var (listener, _) = feed.Listen("words");
        using var _1 = listener;
        for (int i = 0; i < 10_000; i++)
        {
            feed.Publish(Of("lives", i % 2 == 0 ? "firing" : "ok"));
            feed.Publish(Of($"gone{i}", "deleted"));
        }

        Assert.Equal(("lives", "ok"), await NextAsync());
        int deleted = 0;
        while (listener.NextAsync(default) is { IsCompleted: true } next)
            deleted += (await next).State == "deleted" ? 1 : 0;
        Assert.InRange(deleted, 1, 2 * AlertBook.MaxRulesOfNamespace);

        async Task<(string, string)> NextAsync() => await listener.NextAsync(default) is var alert ? (alert.Id, alert.State) : default;
        static Alert Of(string id, string state) => new AlertState(Rule with { Id = id }, default).ToAlert(null, state);
    }

    [Fact]
    public async Task A_namespace_holds_a_limited_number_of_rules()
    {
        await using var host = await LiveHost.StartAsync();
        for (int i = 0; i < AlertBook.MaxRulesOfNamespace; i++)
            Assert.NotNull(await host.Alerts.PutAsync(Rule with { Id = $"r{i}" }, default));
        Assert.Null(await host.Alerts.PutAsync(Rule, default));
        Assert.NotNull(await host.Alerts.PutAsync(Rule with { Id = "r0", Limit = 7 }, default));
        Assert.True(await host.Alerts.DeleteAsync(MemoryReader.Namespace, "r1", default));
        Assert.False(await host.Alerts.DeleteAsync(MemoryReader.Namespace, "r1", default));
        Assert.NotNull(await host.Alerts.PutAsync(Rule, default));
    }
}
