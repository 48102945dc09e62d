using Sketch.Engine.Reads;

namespace Sketch.Realtime.Alerts;

/// <summary>How one rule stands. Guarded by its <see cref="AlertBook"/>.</summary>
internal sealed class AlertState(AlertRule rule, DateTime since)
{
    private const string Unknown = "unknown";
    private const string Calm = "ok";
    private const string Firing = "firing";

    // One mark a judgement, none older than a rate needs.
    private readonly Queue<Figures> _marks = new();
    private string _state = Unknown;
    private DateTime _since = since;
    private DateTime? _heldSince;
    private Figures? _last;

    public AlertRule Rule => rule;

    public bool IsFiring => _state == Firing;

    /// <summary>What of it is kept while it fires; null when it does not.</summary>
    public FiringAlert? Kept => IsFiring ? new FiringAlert(rule.Namespace, rule.Id, _since) : null;

    /// <summary>It fired before the node stopped, and everyone was told: it goes on until it is judged calm.</summary>
    public void Resume(FiringAlert kept) => (_state, _since) = (Firing, kept.Since);

    /// <summary>Judges the counter's value; true when the state changed.</summary>
    public bool Judge(CounterValue? value, DateTime asOf)
    {
        _last = value is null ? null : Of(new Figures(asOf, value.Value, value.Lower, value.Upper));

        // A rate says nothing yet right after a start: what fired before still does, for all that is known.
        string now = value is null ? Unknown : _last is { } figures ? Next(figures) : _state;
        if (now == _state)
            return false;
        (_state, _since) = (now, asOf);
        return true;
    }

    public Alert ToAlert(AlertWebhook? webhook, string? state = null) => new()
    {
        Namespace = rule.Namespace,
        Id = rule.Id,
        Counter = rule.Counter,
        Of = rule.IsRate ? "rate" : "value",
        Above = rule.IsAbove ? rule.Limit : null,
        Below = rule.IsAbove ? null : rule.Limit,
        When = rule.IsSure ? "surely" : "maybe",
        Confidence = rule.Confidence,
        OverSeconds = rule.IsRate ? rule.OverSeconds : null,
        ForSeconds = rule.ForSeconds,
        Webhook = webhook,
        State = state ?? _state,
        Since = _since,
        AsOf = _last?.AsOf,
        Value = _last?.Value,
        Lower = _last?.Lower,
        Upper = _last?.Upper,
    };

    private string Next(Figures figures)
    {
        if (!rule.Holds(figures.Lower, figures.Upper))
        {
            _heldSince = null;
            return Calm;
        }

        _heldSince ??= figures.AsOf;
        return _state == Firing || (figures.AsOf - _heldSince.Value).TotalSeconds >= rule.ForSeconds ? Firing : Calm;
    }

    // A rate's bounds are those of both readings: it is lowest when the older one was as high, and the newer one as low, as they can be.
    private Figures? Of(Figures now)
    {
        if (!rule.IsRate)
            return now;
        Figures? from = null;
        while (_marks.TryPeek(out var mark) && (now.AsOf - mark.AsOf).TotalSeconds >= rule.OverSeconds)
            from = _marks.Dequeue();
        if (from is { } again)
        {
            // It serves the next judgement too, should that come early.
            Figures[] rest = [.. _marks];
            _marks.Clear();
            _marks.Enqueue(again);
            Array.ForEach(rest, _marks.Enqueue);
        }

        _marks.Enqueue(now);
        if (from is not { } then)
            return null;
        double seconds = (now.AsOf - then.AsOf).TotalSeconds;
        return new Figures(now.AsOf, (now.Value - then.Value) / seconds, (now.Lower - then.Upper) / seconds, (now.Upper - then.Lower) / seconds);
    }

    private readonly record struct Figures(DateTime AsOf, double Value, double Lower, double Upper);
}
