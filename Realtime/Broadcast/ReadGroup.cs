using Sketch.Engine.Reads;

namespace Sketch.Realtime.Broadcast;

/// <summary>
/// All watched counters of a namespace at one confidence. A round reads those that are due in one call, so that each is computed once
/// however many watch it, and a frame is one consistent cut. Touched by the broadcaster's loop alone.
/// </summary>
internal sealed class ReadGroup(string @namespace, double confidence, ItemReader items, WarmUps warmUps)
{
    private readonly Dictionary<string, WatchedCounter> _counters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WatchedCounter> _ranked = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FoundNames> _found = new(StringComparer.Ordinal);
    private readonly List<WatchedCounter> _due = [];
    private readonly List<string> _dueNames = [];
    private readonly List<WatchedCounter> _cold = [];
    private readonly int[] _topSubscriptions = new int[RealtimeLimits.MaxNames + 1];
    private int _largestTop;
    private bool _topIsDue;

    public string Namespace => @namespace;

    public double Confidence => confidence;

    /// <summary>Subscriptions that belong to it.</summary>
    public int Subscriptions { get; set; }

    /// <summary>The heaviest counters as of the last round that asked for them.</summary>
    public IReadOnlyList<WatchedCounter> Ranking { get; private set; } = [];

    /// <summary>True while reading fails: said once, not twenty times a second.</summary>
    public bool IsFailing { get; set; }

    /// <summary>Where the loop puts a frame's values until it knows how many there are.</summary>
    public List<LiveValue> Collected { get; } = [];

    public bool IsDue => _due.Count > 0 || _topIsDue;

    /// <summary>When the values of the last round were read.</summary>
    public DateTime AsOf { get; private set; }

    public WatchedCounter Hold(string name)
    {
        if (!_counters.TryGetValue(name, out var counter))
            _counters.Add(name, counter = new WatchedCounter(name));
        counter.References++;
        return counter;
    }

    public void Release(WatchedCounter counter)
    {
        if (--counter.References == 0)
            _counters.Remove(counter.Name);
    }

    public FoundNames HoldFound(NameQuery query)
    {
        if (!_found.TryGetValue(query.Key, out var names))
            _found.Add(query.Key, names = new FoundNames(this, query));
        names.References++;
        return names;
    }

    public void ReleaseFound(FoundNames names)
    {
        if (--names.References > 0)
            return;
        names.Clear();
        _found.Remove(names.Query.Key);
    }

    /// <summary>Counters on the list to read.</summary>
    public int DueCount => _due.Count;

    public void Queue(WatchedCounter counter, long round)
    {
        if (counter.QueuedRound == round)
            return;
        counter.QueuedRound = round;
        counter.EndWarmUp();
        _due.Add(counter);
        _dueNames.Add(counter.Name);
    }

    public void HoldTop(int k)
    {
        _topSubscriptions[k]++;
        _largestTop = Math.Max(_largestTop, k);
    }

    public void ReleaseTop(int k)
    {
        _topSubscriptions[k]--;
        while (_largestTop > 0 && _topSubscriptions[_largestTop] == 0)
            _largestTop--;
    }

    public void QueueTop() => _topIsDue = true;

    /// <summary>True when the counter is among the k heaviest of the last ranking.</summary>
    public bool IsAmongHeaviest(string name, int k) => _ranked.TryGetValue(name, out var counter) && counter.Rank < k;

    public void Read(ICounterReader reader, long round)
    {
        try
        {
            // Always the longest list anyone asked for: a shorter one is its beginning, and nobody loses a rank to a neighbour's request.
            var cut = reader.Cut(@namespace, _dueNames, _topIsDue ? _largestTop : 0, confidence);
            for (int i = 0; i < _due.Count; i++)
                Take(_due[i], cut.Values[i], round);
            if (_cold.Count > 0)
                WarmUp(round);
            if (_topIsDue)
                Rank(cut.Heaviest, round);
            AsOf = cut.AsOf.UtcDateTime;
        }
        finally
        {
            _due.Clear();
            _dueNames.Clear();
            _topIsDue = false;
        }
    }

    private void Take(WatchedCounter counter, CounterValue? value, long round)
    {
        if (value is null && counter.IsCold)
        {
            _cold.Add(counter);
            return;
        }

        if (value is null && counter.IsWarming)
            return;
        counter.Update(value, round);
        if (counter.Items is { } watched)
            items.Ask(@namespace, counter.Name, watched);
    }

    private void WarmUp(long round)
    {
        WatchedCounter[] cold = [.. _cold];
        _cold.Clear();
        if (warmUps.Start(@namespace, cold))
            return;
        foreach (var counter in cold)
            counter.Update(null, round);
    }

    private void Rank(IReadOnlyList<CounterValue> heaviest, long round)
    {
        var ranking = new WatchedCounter[heaviest.Count];
        for (int i = 0; i < ranking.Length; i++)
        {
            string name = heaviest[i].Name;
            if (!_ranked.TryGetValue(name, out var counter))
                _ranked.Add(name, counter = new WatchedCounter(name));
            Take(counter, heaviest[i], round);
            counter.Rank = i;
            counter.RankRound = round;
            ranking[i] = counter;
        }

        foreach (var gone in Ranking)
        {
            if (gone.RankRound != round)
                _ranked.Remove(gone.Name);
        }

        Ranking = ranking;
    }
}
