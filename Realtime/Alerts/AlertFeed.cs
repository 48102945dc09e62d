namespace Sketch.Realtime.Alerts;

/// <summary>Who listens to alerts. As with values there is no queue: a listener has one slot a rule, and gets what is in it when it is ready.</summary>
internal sealed class AlertFeed
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<Listener>> _listeners = new(StringComparer.Ordinal);

    /// <summary>The alerts of a namespace now.</summary>
    public Func<string, IReadOnlyList<Alert>> Snapshot { get; set; } = _ => [];

    /// <summary>Listens from now on; what changes while the alerts are looked at is heard as well.</summary>
    public (Listener Listener, IReadOnlyList<Alert> Now) Listen(string @namespace)
    {
        var listener = new Listener(this, @namespace);
        lock (_lock)
        {
            if (!_listeners.TryGetValue(@namespace, out var list))
                _listeners.Add(@namespace, list = []);
            list.Add(listener);
        }

        return (listener, Snapshot(@namespace));
    }

    public void Publish(Alert alert)
    {
        lock (_lock)
        {
            foreach (var listener in _listeners.GetValueOrDefault(alert.Namespace) ?? [])
                listener.Put(alert);
        }
    }

    private void Remove(Listener listener)
    {
        lock (_lock)
        {
            if (_listeners.TryGetValue(listener.Namespace, out var list) && list.Remove(listener) && list.Count == 0)
                _listeners.Remove(listener.Namespace);
        }
    }

    /// <summary>One who listens.</summary>
    internal sealed class Listener(AlertFeed feed, string @namespace) : IDisposable
    {
        // Rules that are there have a slot each; of those that are gone a listener that sleeps hears of the last ones.
        private const int MaxDeleted = AlertBook.MaxRulesOfNamespace;

        private readonly Lock _lock = new();
        private readonly OrderedDictionary<string, Alert> _slots = new(StringComparer.Ordinal);
        private TaskCompletionSource<Alert>? _waiting;

        public string Namespace => @namespace;

        /// <summary>Completes with the next alert. One call at a time.</summary>
        public Task<Alert> NextAsync(CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                if (_slots.Count > 0)
                {
                    var next = _slots.GetAt(0).Value;
                    _slots.RemoveAt(0);
                    return Task.FromResult(next);
                }

                _waiting = new TaskCompletionSource<Alert>(TaskCreationOptions.RunContinuationsAsynchronously);
                return _waiting.Task.WaitAsync(cancellationToken);
            }
        }

        public void Put(Alert alert)
        {
            lock (_lock)
            {
                if (Interlocked.Exchange(ref _waiting, null) is { } waiting)
                {
                    waiting.TrySetResult(alert);
                    return;
                }

                _slots[alert.Id] = alert;
                if (_slots.Count > AlertBook.MaxRulesOfNamespace + MaxDeleted)
                    _slots.Remove(_slots.First(slot => slot.Value.State == "deleted").Key);
            }
        }

        public void Dispose() => feed.Remove(this);
    }
}
