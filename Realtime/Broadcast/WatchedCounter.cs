using Sketch.Engine.Reads;

namespace Sketch.Realtime.Broadcast;

/// <summary>
/// The latest value of a counter, shared by all who watch it: a slow subscriber costs no copy, it only remembers the round it last saw.
/// Touched by the broadcaster's loop alone, but where it says otherwise.
/// </summary>
internal sealed class WatchedCounter(string name)
{
    private const string TopKind = "top";

    /// <summary>A rate that drifts less than this is no news by itself.</summary>
    private const double RateStep = 0.05;

    private static readonly TimeSpan RestingMark = TimeSpan.FromSeconds(5);

    // What all bounds say together that were read since it last surely changed.
    private long _lower = long.MinValue;
    private long _upper = long.MaxValue;

    private bool _isBroughtIn;

    public string Name => name;

    public LiveValue? Current { get; private set; }

    /// <summary>The round in which the value last changed.</summary>
    public long ChangedRound { get; private set; }

    /// <summary>The round for which the counter is already on the list to read.</summary>
    public long QueuedRound { get; set; }

    /// <summary>How many subscriptions hold it.</summary>
    public int References { get; set; }

    /// <summary>The place in the ranking of <see cref="RankRound"/>.</summary>
    public int Rank { get; set; }

    public long RankRound { get; set; }

    /// <summary>Its items; null unless it is of the kind top.</summary>
    public WatchedItems? Items { get; private set; }

    /// <summary>True while it is brought into memory.</summary>
    public bool IsWarming { get; private set; }

    /// <summary>True when it has no value, and was not asked for since it had one.</summary>
    public bool IsCold { get; private set; } = true;

    public void Update(CounterValue? value, long round)
    {
        if (value is null)
        {
            if (Current is null)
                return;
            Current = null;
            Items = null;
            (_lower, _upper) = (long.MinValue, long.MaxValue);
        }
        else
        {
            IsCold = true;
            if (value.Kind == TopKind)
                Items ??= new WatchedItems();
            var items = Items?.Take();
            long shown = Shown(value);
            if (Current is not null && !IsNews(Current, value, shown) && ReferenceEquals(Current.Items, items?.Items))
                return;
            Current = LiveValue.From(value, shown, items);
        }

        ChangedRound = round;
    }

    /// <summary>It is being brought into memory, or was looked for in vain.</summary>
    public void BeginWarmUp(bool isLoading)
    {
        IsCold = false;
        IsWarming = isLoading;
    }

    /// <summary>It is there, or is nowhere. Not the loop calls this.</summary>
    public void BroughtIn() => Volatile.Write(ref _isBroughtIn, true);

    /// <summary>Before a read: what that finds is what there is, if the counter was brought in until now.</summary>
    public void EndWarmUp()
    {
        if (!IsWarming || !Volatile.Read(ref _isBroughtIn))
            return;
        IsWarming = false;
        _isBroughtIn = false;
    }

    // An estimate moves with its neighbours' increments too. As long as the counter may be what it was, the value shown stays within all bounds shown before; it is
    // wrong by no more than the band says, and moves as soon as the counter surely did.
    private long Shown(CounterValue value)
    {
        (_lower, _upper) = value.Lower > _upper || value.Upper < _lower
            ? (value.Lower, value.Upper)
            : (Math.Max(value.Lower, _lower), Math.Min(value.Upper, _upper));
        return Math.Clamp(value.Value, _lower, _upper);
    }

    // What was exact and still is needs no word for its mark alone: that moves with every read of a counter at rest.
    private static bool IsNews(LiveValue old, CounterValue now, long shown) =>
        old.Value != shown || old.Lower != now.Lower || old.Upper != now.Upper || old.Exact != now.Exact
        || (now.ExactAsOf.UtcDateTime - old.ExactAsOf).Duration() >= (now.Exact ? RestingMark : TimeSpan.FromMilliseconds(1))
        || Math.Abs(now.RatePerSecond - old.RatePerSecond) > RateStep * Math.Abs(old.RatePerSecond)
        || old.Tier != now.Tier || old.Kind != now.Kind || !SameLabels(old.Labels, now.Labels);

    private static bool SameLabels(IReadOnlyDictionary<string, string> old, IReadOnlyDictionary<string, string> now) =>
        ReferenceEquals(old, now)
        || (old.Count == now.Count && now.All(label => old.TryGetValue(label.Key, out var value) && value == label.Value));
}
