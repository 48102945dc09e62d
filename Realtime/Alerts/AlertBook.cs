using Microsoft.Extensions.Options;
using Sketch.Engine.Reads;

namespace Sketch.Realtime.Alerts;

/// <summary>
/// The rules of a node and how each stands. What is put or deleted is on disk before it takes effect; which alerts fire is kept there once everyone was told, so
/// that after a start only those are told again of which that is not sure.
/// </summary>
public sealed class AlertBook : IDisposable
{
    /// <summary>The most rules of a namespace.</summary>
    public const int MaxRulesOfNamespace = 100;

    /// <summary>The most rules of a node.</summary>
    public const int MaxRules = 1_000;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Lock _lock = new();
    private readonly SortedDictionary<(string Namespace, string Id), AlertState> _states = new(Order.Instance);
    private readonly AlertFile? _file;
    private readonly AlertFeed _feed;
    private readonly WebhookSender _webhooks;
    private readonly TimeProvider _time;
    private IReadOnlyList<FiringAlert> _kept = [];

    /// <param name="options">Where the rules are kept.</param>
    /// <param name="feed">Who listens.</param>
    /// <param name="webhooks">Delivers.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InvalidDataException">The file with the rules is damaged.</exception>
    internal AlertBook(IOptions<RealtimeOptions> options, AlertFeed feed, WebhookSender webhooks, TimeProvider time)
    {
        (_feed, _webhooks, _time) = (feed, webhooks, time);
        _file = options.Value.DataFolder is { } folder ? new AlertFile(folder) : null;
        var content = _file?.Read();
        foreach (var rule in content?.Rules ?? [])
            _states[(rule.Namespace, rule.Id)] = new AlertState(rule, Now);
        _kept = [.. (content?.Firing ?? []).Where(firing => _states.ContainsKey((firing.Namespace, firing.Id)))];
        foreach (var firing in _kept)
            _states[(firing.Namespace, firing.Id)].Resume(firing);
        feed.Snapshot = List;
    }

    private DateTime Now => _time.GetUtcNow().UtcDateTime;

    /// <summary>Makes or replaces a rule; it is judged within a second.</summary>
    /// <returns>The alert, and whether the rule is new; null when the namespace or the node is full.</returns>
    /// <exception cref="IOException">It could not be written: nothing changed.</exception>
    public async Task<(Alert Alert, bool IsNew)?> PutAsync(AlertRule rule, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rule);
        var key = (rule.Namespace, rule.Id);
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            AlertRule[] rules = Rules();
            bool isNew = !rules.Any(r => (r.Namespace, r.Id) == key);
            if (isNew && (rules.Length >= MaxRules || rules.Count(r => r.Namespace == rule.Namespace) >= MaxRulesOfNamespace))
                return null;
            await WriteAsync([.. rules.Where(r => (r.Namespace, r.Id) != key), rule]).ConfigureAwait(false);
            lock (_lock)
            {
                if (!_states.TryGetValue(key, out var state) || state.Rule != rule)
                    _states[key] = state = new AlertState(rule, Now);
                var alert = ToAlert(state);
                _feed.Publish(alert);
                return (alert, isNew);
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Deletes a rule; false when there is none.</summary>
    /// <exception cref="IOException">It could not be written: nothing changed.</exception>
    public async Task<bool> DeleteAsync(string @namespace, string id, CancellationToken cancellationToken)
    {
        var key = (@namespace, id);
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            AlertRule[] rules = Rules();
            if (!rules.Any(r => (r.Namespace, r.Id) == key))
                return false;
            await WriteAsync([.. rules.Where(r => (r.Namespace, r.Id) != key)]).ConfigureAwait(false);
            lock (_lock)
            {
                _states.Remove(key, out var state);
                _feed.Publish(state!.ToAlert(null, "deleted") with { Since = Now });
            }

            _webhooks.Forget(key);
            return true;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>An alert; null when there is none.</summary>
    public Alert? Find(string @namespace, string id)
    {
        lock (_lock)
            return _states.TryGetValue((@namespace, id), out var state) ? ToAlert(state) : null;
    }

    /// <summary>The alerts of a namespace, by id.</summary>
    public IReadOnlyList<Alert> List(string @namespace)
    {
        lock (_lock)
            return [.. _states.Values.Where(state => state.Rule.Namespace == @namespace).Select(ToAlert)];
    }

    /// <inheritdoc/>
    public void Dispose() => _writing.Dispose();

    /// <summary>Judges every rule once: the counters of a namespace at one confidence are read at once.</summary>
    internal void Judge(ICounterReader reader)
    {
        foreach (var group in Rules().GroupBy(rule => (rule.Namespace, rule.ReadConfidence)))
        {
            if (!reader.HasNamespace(group.Key.Namespace))
                continue;
            AlertRule[] rules = [.. group];
            var cut = reader.Cut(group.Key.Namespace, [.. rules.Select(rule => rule.Counter)], 0, group.Key.ReadConfidence);
            for (int i = 0; i < rules.Length; i++)
                Judge(rules[i], cut.Values[i], cut.AsOf.UtcDateTime);
        }
    }

    /// <summary>Writes down which alerts fire, when that is not what was written last.</summary>
    /// <exception cref="IOException">It could not be written: after a start now, some are told again.</exception>
    internal async Task KeepAsync(CancellationToken cancellationToken)
    {
        if (_file is null || Firing(Rules()).SequenceEqual(_kept))
            return;
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await WriteAsync(Rules()).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    // While a webhook has still to be told, what was kept before stands: told twice is better than never.
    private FiringAlert[] Firing(IEnumerable<AlertRule> rules)
    {
        HashSet<AlertRule> standing = [.. rules];
        lock (_lock)
        {
            return
            [
                .. _states.Values
                    .Where(state => standing.Contains(state.Rule))
                    .Select(state => state.Rule.Webhook is not null && _webhooks.StateOf(state.Rule).Pending > 0
                        ? _kept.FirstOrDefault(kept => (kept.Namespace, kept.Id) == (state.Rule.Namespace, state.Rule.Id))
                        : state.Kept)
                    .OfType<FiringAlert>(),
            ];
        }
    }

    private void Judge(AlertRule rule, CounterValue? value, DateTime asOf)
    {
        lock (_lock)
        {
            // Replaced or deleted while it was read: not its business any more.
            if (!_states.TryGetValue((rule.Namespace, rule.Id), out var state) || state.Rule != rule)
                return;
            bool fired = state.IsFiring;
            if (!state.Judge(value, asOf))
                return;
            var alert = ToAlert(state);
            _feed.Publish(alert);
            if (rule.Webhook is not null && (fired || state.IsFiring))
                _webhooks.Send(rule, alert);
        }
    }

    private Alert ToAlert(AlertState state) => state.ToAlert(state.Rule.Webhook is null ? null : _webhooks.StateOf(state.Rule));

    private AlertRule[] Rules()
    {
        lock (_lock)
            return [.. _states.Values.Select(state => state.Rule)];
    }

    private async Task WriteAsync(AlertRule[] rules)
    {
        if (_file is null)
            return;

        // The disk may take its time: not on the caller's thread. A rule that is replaced begins anew.
        FiringAlert[] firing = Firing(rules);
        await Task.Run(() => _file.Write(rules, firing)).ConfigureAwait(false);
        _kept = firing;
    }

    private sealed class Order : IComparer<(string Namespace, string Id)>
    {
        public static readonly Order Instance = new();

        public int Compare((string Namespace, string Id) x, (string Namespace, string Id) y) =>
            string.CompareOrdinal(x.Namespace, y.Namespace) is var order and not 0 ? order : string.CompareOrdinal(x.Id, y.Id);
    }
}
