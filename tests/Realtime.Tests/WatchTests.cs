using Microsoft.AspNetCore.SignalR.Client;
using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class WatchTests
{
    [Theory, MemberData(nameof(SubscribeTests.Protocols), MemberType = typeof(SubscribeTests))]
    public async Task The_stream_starts_with_the_snapshot_and_goes_on_with_changes(string protocol)
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync(protocol);
        host.Reader.Set("a", 1);
        host.Reader.Set("b", 1);
        using var stop = new CancellationTokenSource();
        await using var frames = client.Connection
            .StreamAsync<CounterFrame>("Watch", LiveClient.Watching("a", "b"), stop.Token).GetAsyncEnumerator(stop.Token);

        Assert.True(await frames.MoveNextAsync());
        Assert.Equal((1L, 2), (frames.Current.Number, frames.Current.Values.Count));

        host.Reader.Set("b", 2);
        await host.TickAsync();
        Assert.True(await frames.MoveNextAsync());
        Assert.Equal((2L, 2L), (frames.Current.Number, frames.Current.Values.Single().Value));

        await stop.CancelAsync();
        await Eventually.TrueAsync(() => host.Broadcaster.Count == 0, "the cancelled stream to end");
    }

    internal static async Task<CounterFrame> FirstAsync(LiveClient client, SubscriptionRequest request)
    {
        using var stop = new CancellationTokenSource();
        await foreach (var frame in client.Connection.StreamAsync<CounterFrame>("Watch", request, stop.Token))
        {
            await stop.CancelAsync();
            return frame;
        }

        throw new InvalidOperationException("The stream ended without a frame.");
    }
}
