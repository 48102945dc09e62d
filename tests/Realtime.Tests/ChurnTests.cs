using Microsoft.AspNetCore.SignalR.Client;
using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class ChurnTests
{
    private const int Clients = 24;
    private const int Steps = 60;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Subscribers_that_come_and_go_leave_nothing_behind(int seed)
    {
        await using var host = await LiveHost.StartAsync();
        for (int i = 0; i < 50; i++)
            host.Reader.Set($"c{i:d2}", i);
        using var done = new CancellationTokenSource();
        var ticking = Task.Run(async () =>
        {
            for (int tick = 0; !done.IsCancellationRequested; tick++)
            {
                host.Reader.Set($"c{tick % 50:d2}", tick);
                host.Time.Advance(TimeSpan.FromMilliseconds(50));
                await Task.Yield();
            }
        });

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => ComeAndGoAsync(host, new Random((seed * 1_000) + client))));
        await Eventually.TrueAsync(() => host.Broadcaster is { Count: 0, Groups: 0, WatchedCounters: 0 }, "everything to be let go");
        await done.CancelAsync();
        await ticking;
    }

    private static async Task ComeAndGoAsync(LiveHost host, Random random)
    {
        await using var client = await host.ConnectAsync(random.Next(2) == 0 ? "json" : "messagepack");
        var open = new List<int>();
        for (int step = 0; step < Steps; step++)
        {
            switch (random.Next(3))
            {
                case 0 when open.Count < 10:
                    var reply = await client.SubscribeAsync(AnyRequest(random));
                    Assert.Equal(1, reply.Snapshot.Number);
                    open.Add(reply.Subscription);
                    break;
                case 1 when open.Count > 0:
                    await client.Connection.InvokeAsync("Unsubscribe", open[^1]);
                    open.RemoveAt(open.Count - 1);
                    break;
                case 2:
                    await WatchAsync(client, AnyRequest(random));
                    break;
            }
        }
    }

    // The client library ends a stream on the server when its token is cancelled, not when the loop is left.
    private static async Task WatchAsync(LiveClient client, SubscriptionRequest request)
    {
        using var stop = new CancellationTokenSource();
        long expected = 1;
        await foreach (var frame in client.Connection.StreamAsync<CounterFrame>("Watch", request, stop.Token))
        {
            Assert.Equal(expected++, frame.Number);
            if (expected > 3)
                break;
        }

        await stop.CancelAsync();
    }

    private static SubscriptionRequest AnyRequest(Random random) => random.Next(3) switch
    {
        0 => new() { Namespace = "words", Names = [.. Enumerable.Range(0, 1 + random.Next(5)).Select(_ => $"c{random.Next(60):d2}")], IntervalMs = 50 },
        1 => new() { Namespace = "words", Prefix = $"c{random.Next(5)}", IntervalMs = 50 * (1 + random.Next(3)), Confidence = 0.9 },
        _ => new() { Namespace = "words", Top = 1 + random.Next(30), IntervalMs = 50 },
    };
}
