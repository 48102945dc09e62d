using Microsoft.AspNetCore.SignalR;
using Sketch.Realtime.Broadcast;

namespace Sketch.Realtime.Hub;

/// <summary>The subscriptions of one connection: numbered, limited, and gone when it is.</summary>
internal sealed class ConnectionSubscriptions(Broadcaster broadcaster, int phase)
{
    private readonly Dictionary<int, Entry> _entries = [];
    private readonly Lock _lock = new();
    private int _lastId;
    private bool _closed;

    /// <summary>A new subscription, already waiting for its first frame.</summary>
    /// <exception cref="SubscriptionRefusedException">A limit is reached.</exception>
    public Entry Open(Selection selection)
    {
        var entry = Enter(id => new Entry(new Subscription(id, selection, phase)));
        // Waiting comes first, so that the round that admits it finds it ready.
        entry.First = entry.Subscription!.NextAsync().AsTask();
        if (broadcaster.TryAdd(entry.Subscription) is { } full)
        {
            Forget(entry);
            throw full;
        }

        return entry;
    }

    /// <summary>A subscription to alerts.</summary>
    /// <exception cref="SubscriptionRefusedException">A limit is reached.</exception>
    public Entry Open(Alerts.AlertFeed.Listener listener) => Enter(id => new Entry(id, listener));

    public Entry? Find(int id)
    {
        lock (_lock)
            return _entries.GetValueOrDefault(id);
    }

    /// <summary>Ends a subscription, whoever comes first.</summary>
    public void Close(Entry entry)
    {
        if (entry.Subscription is { } subscription)
            broadcaster.Remove(subscription);
        Forget(entry);
    }

    public void CloseAll()
    {
        Entry[] entries;
        lock (_lock)
        {
            _closed = true;
            entries = [.. _entries.Values];
        }

        Array.ForEach(entries, Close);
    }

    private Entry Enter(Func<int, Entry> create)
    {
        lock (_lock)
        {
            if (_closed)
                throw new HubException("The connection is closed.");
            if (_entries.Count >= RealtimeLimits.MaxSubscriptionsPerConnection)
            {
                throw new HubException(FormattableString.Invariant(
                    $"This connection has {_entries.Count} subscriptions; allowed {RealtimeLimits.MaxSubscriptionsPerConnection}."));
            }

            var entry = create(++_lastId);
            _entries.Add(entry.Id, entry);
            return entry;
        }
    }

    private void Forget(Entry entry)
    {
        lock (_lock)
        {
            if (!_entries.Remove(entry.Id))
                return;
        }

        entry.Dispose();
    }

    /// <summary>A subscription and the life of what sends its frames; disposing it ends that life.</summary>
    internal sealed class Entry : IDisposable
    {
        private readonly CancellationTokenSource _end = new();

        private readonly Alerts.AlertFeed.Listener? _listener;

        public Entry(Subscription subscription)
            : this(subscription.Id, null) => Subscription = subscription;

        public Entry(int id, Alerts.AlertFeed.Listener? listener)
        {
            Id = id;
            Ended = _end.Token;
            _listener = listener;
        }

        public int Id { get; }

        /// <summary>What it watches; null when it listens to alerts.</summary>
        public Subscription? Subscription { get; }

        public CancellationToken Ended { get; }

        /// <summary>The first frame.</summary>
        public Task<CounterFrame> First { get; set; } = Task.FromCanceled<CounterFrame>(new CancellationToken(canceled: true));

        /// <summary>Completes when the last frame is out.</summary>
        public Task Sending { get; set; } = Task.CompletedTask;

        public void Dispose()
        {
            _end.Cancel();
            _listener?.Dispose();
            _end.Dispose();
        }
    }
}
