using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR.Client;
using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

/// <summary>A subscriber as an application would write it.</summary>
internal sealed class LiveClient : IAsyncDisposable
{
    private readonly Channel<CounterFrame> _frames = Channel.CreateUnbounded<CounterFrame>();

    public LiveClient(HubConnection connection)
    {
        Connection = connection;
        connection.On<CounterFrame>("OnValues", frame => _frames.Writer.TryWrite(frame));
    }

    public HubConnection Connection { get; }

    public Task<SubscriptionReply> SubscribeAsync(SubscriptionRequest request) =>
        Connection.InvokeAsync<SubscriptionReply>("Subscribe", request);

    public Task<SubscriptionReply> SubscribeAsync(params string[] names) => SubscribeAsync(Watching(names));

    public static SubscriptionRequest Watching(params string[] names) =>
        new() { Namespace = MemoryReader.Namespace, Names = names, IntervalMs = RealtimeLimits.MinIntervalMs };

    public async Task<CounterFrame> NextAsync()
    {
        using var deadline = new CancellationTokenSource(Eventually.Deadline);
        return await _frames.Reader.ReadAsync(deadline.Token);
    }

    /// <summary>The next frame; null when none arrives in time.</summary>
    public async Task<CounterFrame?> NextAsync(TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        try
        {
            return await _frames.Reader.ReadAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>True when a frame has arrived that was not taken.</summary>
    public bool HasFrame => _frames.Reader.TryPeek(out _);

    /// <summary>Returns when everything that the server sent before now has arrived: the answer to a call comes after it.</summary>
    public async Task DrainAsync()
    {
        var reply = await SubscribeAsync("drain");
        await Connection.InvokeAsync("Unsubscribe", reply.Subscription);
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
