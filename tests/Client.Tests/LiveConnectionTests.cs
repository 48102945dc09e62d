using Sketch.Client;
using Sketch.Tests.Server;

namespace Sketch.Tests.Client;

/// <summary>The client against a real node.</summary>
public sealed class LiveConnectionTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_selection_brings_its_counters_and_what_is_counted_later(bool json)
    {
        await using var host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", """{"tier":"eventual"}""");
        await host.PutAsync("/v1/namespaces/words/counters/the", """{"labels":{"lang":"en"}}""");
        await CountAsync(host, "the", 5);
        await CountAsync(host, "thin", 2);
        await CountAsync(host, "of", 9);
        await using var live = new LiveConnection(host.Node.Http, new LiveConnectionOptions { UseJson = json });
        using var deadline = new CancellationTokenSource(Deadline);

        Assert.Equal(["of", "the"], await FirstAsync(LiveSelection.OfNames("words", "the", "of", "new")));
        Assert.Equal(["the"], await FirstAsync(LiveSelection.OfLabels("words", [new("lang", "en")])));
        Assert.Equal(["of", "the"], await FirstAsync(LiveSelection.OfTop("words", 2)));

        var board = new LiveBoard();
        await foreach (var frame in live.WatchAsync(LiveSelection.OfPrefix("words", "th") with { IntervalMs = 50, Confidence = 0.9 }, deadline.Token))
        {
            board.Apply(frame);
            if (frame.Number == 1)
            {
                Assert.True(frame.Snapshot);
                Assert.Equal(["the", "thin"], board.Values.Keys.Order());
                await CountAsync(host, "the", 1);
                await CountAsync(host, "those", 3);
            }

            if (board.Values.TryGetValue("those", out var those) && board.Values["the"].Value == 6)
            {
                Assert.Equal((3L, 3L, 3L, "eventual", true), (those.Value, those.Lower, those.Upper, those.Tier, those.Exact));
                Assert.Equal("en", board.Values["the"].Labels["lang"]);
                break;
            }
        }

        async Task<string[]> FirstAsync(LiveSelection selection)
        {
            await foreach (var frame in live.WatchAsync(selection, deadline.Token))
                return [.. frame.Values.Select(value => value.Name).Order()];
            throw new InvalidOperationException("The stream ended.");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Items_of_a_counter_of_the_kind_top_come_in_frames(bool json)
    {
        await using var host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", """{"tier":"eventual"}""");
        await host.PutAsync("/v1/namespaces/words/counters/pages", """{"kind":"top","k":2}""");
        await host.PostAsync(
            "/v1/namespaces/words/increments",
            """{"increments":[{"name":"pages","element":"/","delta":5},{"name":"pages","element":"/b","delta":7},{"name":"pages","element":"/c","delta":1}]}""");
        await using var live = new LiveConnection(host.Node.Http, new LiveConnectionOptions { UseJson = json });
        using var deadline = new CancellationTokenSource(Deadline);
        var began = DateTime.UtcNow.AddMinutes(-1);
        await foreach (var frame in live.WatchAsync(LiveSelection.OfNames("words", "pages") with { IntervalMs = 50 }, deadline.Token))
        {
            if (frame.Values is not [{ Items: { } items, ItemsAsOf: { } asOf }])
                continue;
            Assert.Equal(
                [("/b", 7L, 7L, 7L, true, true), ("/", 5L, 5L, 5L, true, true)],
                items.Select(item => (item.Item, item.Lower, item.Value, item.Upper, item.Certain, item.Exact)));
            Assert.InRange(asOf, began, DateTime.UtcNow.AddMinutes(1));
            break;
        }
    }

    [Fact]
    public async Task A_stream_goes_on_after_the_node_was_started_anew()
    {
        var host = await NodeHost.StartAsync();
        try
        {
            await host.PutAsync("/v1/namespaces/words", """{"tier":"eventual"}""");
            await CountAsync(host, "a", 1);
            await using var live = new LiveConnection(host.Node.Http);
            using var deadline = new CancellationTokenSource(Deadline);
            LiveFrame? last = null;
            long value = 0;
            bool restarted = false;
            await foreach (var frame in live.WatchAsync(LiveSelection.OfNames("words", "a") with { IntervalMs = 50 }, deadline.Token))
            {
                Assert.Equal((last?.Number ?? 0) + 1, frame.Number);
                Assert.True(last is null || frame.AsOf >= last.AsOf);
                long now = frame.Values.SingleOrDefault()?.Value ?? value;
                Assert.True(now >= value, $"{value}, then {now}");
                value = now;
                last = frame;
                if (restarted && value == 3)
                    break;
                if (frame.Number == 2)
                {
                    await host.Node.DisposeAsync();
                    Assert.False(restarted);
                    restarted = true;
                    host = await NodeHost.StartAsync(folder: host.Folder, store: host.Store, httpPort: host.Node.Http.Port);
                    await CountAsync(host, "a", 1);
                }
                else if (frame.Number == 1)
                {
                    await CountAsync(host, "a", 1);
                }
                else if (frame.Snapshot)
                {
                    Assert.True(frame.Skipped > 0, $"{frame.Skipped} skipped");
                }
            }
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_the_node_refuses_is_thrown_in_its_words_and_a_loop_that_is_left_leaves_nothing_behind()
    {
        await using var host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", "{}");
        await using var live = new LiveConnection(host.Node.Http);
        using var deadline = new CancellationTokenSource(Deadline);
        var refused = await Assert.ThrowsAsync<LiveRefusedException>(() => LeaveAsync(LiveSelection.OfTop("nowhere", 3)));
        Assert.Equal("namespace is 'nowhere'; there is no such namespace.", refused.Message);
        refused = await Assert.ThrowsAsync<LiveRefusedException>(() => LeaveAsync(LiveSelection.OfTop("words", 0)));
        Assert.Equal("top is 0; allowed: 1 to 1000.", refused.Message);

        // A connection holds 32 subscriptions: sixty would not fit if those before stayed.
        for (int i = 0; i < 60; i++)
            await LeaveAsync(LiveSelection.OfTop("words", 3));

        async Task LeaveAsync(LiveSelection selection)
        {
            await foreach (var _ in live.WatchAsync(selection, deadline.Token))
                break;
        }
    }

    [Fact]
    public async Task Alerts_are_told_as_they_stand_and_when_they_change()
    {
        await using var host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", """{"tier":"eventual"}""");
        await CountAsync(host, "a", 1);
        Assert.Equal(201, (await host.PutAsync("/v1/namespaces/words/alerts/busy", """{"counter":"a","above":10}""")).Status);
        await using var live = new LiveConnection(host.Node.Http);
        using var deadline = new CancellationTokenSource(Deadline);
        var states = new List<string>();
        await foreach (var alert in live.AlertsAsync("words", deadline.Token))
        {
            Assert.Equal(("busy", "a", 10.0, "surely"), (alert.Id, alert.Counter, alert.Above, alert.When));
            if (states.LastOrDefault() == alert.State)
                continue;
            states.Add(alert.State);
            if (alert.State == "ok")
                await CountAsync(host, "a", 20);
            if (alert.State == "firing")
                Assert.Equal(204, (await host.SendAsync(HttpMethod.Delete, "/v1/namespaces/words/alerts/busy", (string?)null)).Status);
            if (alert.State == "deleted")
                break;
        }

        Assert.Equal(["ok", "firing", "deleted"], states.Where(state => state != "unknown"));
    }

    internal static async Task CountAsync(NodeHost host, string name, long delta)
    {
        var answer = await host.PostAsync("/v1/namespaces/words/increments", $$"""{"increments":[{"name":"{{name}}","delta":{{delta}}}]}""");
        Assert.Equal(200, answer.Status);
    }
}
