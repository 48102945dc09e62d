using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.SignalR;
using Sketch.Engine.Reads;
using Sketch.Realtime.Alerts;
using Sketch.Realtime.Broadcast;

namespace Sketch.Realtime.Hub;

/// <summary>The hub at /hubs/counters.</summary>
internal sealed class CountersHub(Broadcaster broadcaster, AlertFeed alerts, ICounterReader reader, IHubContext<CountersHub> clients)
    : Microsoft.AspNetCore.SignalR.Hub
{
    private const string OnValues = "OnValues";
    private const string OnAlert = "OnAlert";
    private static readonly object Key = new();

    private ConnectionSubscriptions Subscriptions => (ConnectionSubscriptions)Context.Items[Key]!;

    public override Task OnConnectedAsync()
    {
        Context.Items[Key] = new ConnectionSubscriptions(broadcaster, broadcaster.NextPhase());
        return Task.CompletedTask;
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        Subscriptions.CloseAll();
        return Task.CompletedTask;
    }

    /// <summary>Answers with the values of now; what changes later arrives at OnValues.</summary>
    public async Task<SubscriptionReply> Subscribe(SubscriptionRequest? request)
    {
        var selection = RequestRules.Check(request, reader);
        var subscriptions = Subscriptions;
        var entry = subscriptions.Open(selection);
        CounterFrame snapshot;
        try
        {
            snapshot = await entry.First;
        }
        catch
        {
            subscriptions.Close(entry);
            throw;
        }

        var client = clients.Clients.Client(Context.ConnectionId);
        entry.Sending = SendAsync(subscriptions, entry, client, OnValues, entry.Subscription!.NextAsync);
        return new SubscriptionReply
        {
            Subscription = entry.Id,
            IntervalMs = selection.IntervalMs,
            Snapshot = snapshot,
        };
    }

    /// <summary>Answers with the alerts of a namespace; each that changes arrives at OnAlert.</summary>
    public AlertsReply SubscribeAlerts(AlertsRequest? request)
    {
        RequestRules.CheckNamespace(request?.Namespace, reader);
        var subscriptions = Subscriptions;
        var (listener, now) = alerts.Listen(request!.Namespace!);
        ConnectionSubscriptions.Entry entry;
        try
        {
            entry = subscriptions.Open(listener);
        }
        catch
        {
            listener.Dispose();
            throw;
        }

        entry.Sending = SendAsync(subscriptions, entry, clients.Clients.Client(Context.ConnectionId), OnAlert, () => new ValueTask<Alert>(listener.NextAsync(entry.Ended)));
        return new AlertsReply { Subscription = entry.Id, Alerts = now };
    }

    /// <summary>Ends a subscription; once it returns, no frame of it follows.</summary>
    public async Task Unsubscribe(int subscription)
    {
        var entry = Subscriptions.Find(subscription)
            ?? throw new HubException(FormattableString.Invariant(
                $"subscription is {subscription}; allowed: an id that Subscribe gave on this connection and that is still open."));
        Subscriptions.Close(entry);
        await entry.Sending;
    }

    /// <summary>The same frames as a stream; the first is the snapshot.</summary>
    public IAsyncEnumerable<CounterFrame> Watch(SubscriptionRequest? request, CancellationToken cancellationToken)
    {
        var selection = RequestRules.Check(request, reader);
        var subscriptions = Subscriptions;
        return FramesAsync(subscriptions, subscriptions.Open(selection), cancellationToken);
    }

    private static async IAsyncEnumerable<CounterFrame> FramesAsync(
        ConnectionSubscriptions subscriptions, ConnectionSubscriptions.Entry entry, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var ends = cancellationToken.UnsafeRegister(_ => subscriptions.Close(entry), null);
        try
        {
            yield return await FirstAsync(entry);
            while (true)
                yield return await entry.Subscription!.NextAsync();
        }
        finally
        {
            subscriptions.Close(entry);
        }
    }

    private static async Task<CounterFrame> FirstAsync(ConnectionSubscriptions.Entry entry)
    {
        try
        {
            return await entry.First;
        }
        catch (SubscriptionRefusedException refused)
        {
            throw PlainRefusals.Plain(refused);
        }
    }

    // The next one is asked for only when the one before it is on its way: this is what keeps a slow client from growing a queue.
    private static async Task SendAsync<T>(
        ConnectionSubscriptions subscriptions, ConnectionSubscriptions.Entry entry, ISingleClientProxy client, string method, Func<ValueTask<T>> next)
    {
        try
        {
            while (true)
            {
                var message = await next();
                await client.SendCoreAsync(method, [message], entry.Ended);
            }
        }
        catch (OperationCanceledException)
        {
            // Unsubscribed, or the connection is gone.
        }
        finally
        {
            subscriptions.Close(entry);
        }
    }
}
