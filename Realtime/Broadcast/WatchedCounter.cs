using Sketch.Engine.Reads;

namespace Sketch.Realtime.Broadcast;

/// <summary>
/// The latest value of a counter, shared by all who watch it: a slow subscriber costs no copy, it only remembers the round it last saw.
/// Touched by the broadcaster's loop alone.
/// </summary>
internal sealed class WatchedCounter(string name)
{
    /// <summary>A rate that drifts less than this is no news by itself.</summary>
    private const double RateStep = 0.05;

    private static readonly TimeSpan RestingMark = TimeSpan.FromSeconds(5);

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

    public void Update(CounterValue? value, long round)
    {
        if (value is null)
        {
            if (Current is null)
                return;
            Current = null;
        }
        else
        {
            if (Current is not null && !IsNews(Current, value))
                return;
            Current = LiveValue.From(value);
        }

        ChangedRound = round;
    }

    // What was exact and still is needs no word for its mark alone: that moves with every read of a counter at rest.
    private static bool IsNews(LiveValue old, CounterValue now) =>
        old.Value != now.Value || old.Lower != now.Lower || old.Upper != now.Upper || old.Exact != now.Exact
        || (now.ExactAsOf.UtcDateTime - old.ExactAsOf).Duration() >= (now.Exact ? RestingMark : TimeSpan.FromMilliseconds(1))
        || Math.Abs(now.RatePerSecond - old.RatePerSecond) > RateStep * Math.Abs(old.RatePerSecond)
        || old.Tier != now.Tier || old.Kind != now.Kind || !SameLabels(old.Labels, now.Labels);

    private static bool SameLabels(IReadOnlyDictionary<string, string> old, IReadOnlyDictionary<string, string> now) =>
        ReferenceEquals(old, now)
        || (old.Count == now.Count && now.All(label => old.TryGetValue(label.Key, out var value) && value == label.Value));
}
