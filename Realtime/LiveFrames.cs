using System.Runtime.CompilerServices;
using System.Text.Json;
using Sketch.Engine.Reads;
using Sketch.Realtime.Broadcast;
using Sketch.Realtime.Hub;

namespace Sketch.Realtime;

/// <summary>The hub's frames for doors without SignalR: the same subscriptions, limits and conflation.</summary>
public sealed class LiveFrames
{
    private readonly Broadcaster _broadcaster;
    private readonly ICounterReader _reader;

    internal LiveFrames(Broadcaster broadcaster, ICounterReader reader) => (_broadcaster, _reader) = (broadcaster, reader);

    /// <summary>Frames until the token is cancelled; the next one is composed when it is asked for, so that a slow reader gets fewer, newer ones.</summary>
    /// <param name="request">What to watch; checked before this returns.</param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    /// <exception cref="SubscriptionRefusedException">The request is not allowed, or the node is full.</exception>
    public IAsyncEnumerable<CounterFrame> WatchAsync(SubscriptionRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        Subscription subscription = new(1, RequestRules.Check(request, _reader), _broadcaster.NextPhase());
        var first = subscription.NextAsync().AsTask();
        return _broadcaster.TryAdd(subscription) is { } full ? throw full : FramesAsync(subscription, first, cancellationToken);
    }

    /// <summary>The frame as the hub writes it in JSON.</summary>
    public static byte[] ToJson(CounterFrame frame) => JsonSerializer.SerializeToUtf8Bytes(frame, LiveFormats.Json);

    private async IAsyncEnumerable<CounterFrame> FramesAsync(
        Subscription subscription, Task<CounterFrame> first, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var ends = cancellationToken.UnsafeRegister(_ => _broadcaster.Remove(subscription), null).ConfigureAwait(false);
        try
        {
            yield return await first.ConfigureAwait(false);
            while (true)
                yield return await subscription.NextAsync().ConfigureAwait(false);
        }
        finally
        {
            _broadcaster.Remove(subscription);
        }
    }
}
