using Sketch.Engine.Reads;

namespace Sketch.Tests.Realtime;

/// <summary>Counters in a dictionary, which remembers what was asked of it.</summary>
internal sealed class MemoryReader : ICounterReader
{
    public const string Namespace = "words";
    public static readonly DateTimeOffset Checkpoint = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private readonly SortedDictionary<string, CounterValue> _counters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TopItemValue[]> _items = new(StringComparer.Ordinal);
    private readonly HashSet<string> _cold = new(StringComparer.Ordinal);
    private readonly List<string[]> _reads = [];
    private readonly List<string[]> _warmUps = [];
    private readonly Lock _lock = new();
    private volatile bool _fails;

    /// <summary>The names of every Read so far.</summary>
    public IReadOnlyList<string[]> Reads
    {
        get
        {
            lock (_lock)
                return [.. _reads];
        }
    }

    /// <summary>The names of every WarmAsync so far.</summary>
    public IReadOnlyList<string[]> WarmUps
    {
        get
        {
            lock (_lock)
                return [.. _warmUps];
        }
    }

    /// <summary>Counters that are out of memory come in when this completes.</summary>
    public TaskCompletionSource Store { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int ItemReads { get; private set; }

    public int Rankings { get; private set; }

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public bool Fails
    {
        set => _fails = value;
    }

    public void Set(string name, long value, long width = 0, string lang = "en")
    {
        lock (_lock)
        {
            _counters[name] = new CounterValue(
                Namespace, name, "sum", "approximate", value, value - width, value, width == 0 ? 1 : 0.99, width == 0, Checkpoint, 2.5,
                new Dictionary<string, string> { ["lang"] = lang });
        }
    }

    /// <summary>A counter of the kind top.</summary>
    public void SetItems(string name, params (string Item, long Value)[] items)
    {
        Set(name, items.Sum(item => item.Value));
        lock (_lock)
        {
            _counters[name] = _counters[name] with { Kind = "top" };
            _items[name] = [.. items.Select(item => new TopItemValue(item.Item, item.Value, item.Value - 1, item.Value, Certain: true, Exact: false))];
        }
    }

    /// <summary>Puts a counter out of memory.</summary>
    public void Chill(string name)
    {
        lock (_lock)
            _cold.Add(name);
    }

    public void Remove(string name)
    {
        lock (_lock)
            _counters.Remove(name);
    }

    /// <summary>A node whose engine is not open yet.</summary>
    public bool IsOpening { get; set; }

    public bool HasNamespace(string @namespace) =>
        IsOpening ? throw new InvalidOperationException("The engine is not open yet.") : @namespace == Namespace;

    public IReadOnlyList<CounterValue?> Read(string @namespace, IReadOnlyList<string> names, double confidence)
    {
        if (_fails)
            throw new IOException("The disk is on fire.");
        lock (_lock)
        {
            _reads.Add([.. names]);
            return [.. names.Select(name => _cold.Contains(name) ? null : At(_counters.GetValueOrDefault(name), confidence))];
        }
    }

    public IReadOnlyList<CounterValue> Top(string @namespace, int k, double confidence)
    {
        lock (_lock)
        {
            Rankings++;
            return [.. _counters.Values.OrderByDescending(counter => counter.Value).Take(k).Select(counter => At(counter, confidence)!)];
        }
    }

    public CounterCut Cut(string @namespace, IReadOnlyList<string> names, int k, double confidence)
    {
        lock (_lock)
        {
            return new CounterCut(
                Time.GetUtcNow(), names.Count == 0 ? [] : Read(@namespace, names, confidence), k == 0 ? [] : Top(@namespace, k, confidence));
        }
    }

    public TopItems? LargestItems(string @namespace, string name, int most)
    {
        lock (_lock)
        {
            ItemReads++;
            return _items.TryGetValue(name, out var items) ? new TopItems(@namespace, name, Checkpoint, [.. items.Take(most)]) : null;
        }
    }

    public async ValueTask WarmAsync(string @namespace, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _warmUps.Add([.. names]);
            if (!names.Any(_cold.Contains))
                return;
        }

        await Store.Task.WaitAsync(cancellationToken);
        lock (_lock)
            _cold.ExceptWith(names);
    }

    public IReadOnlyList<string> FindLabelled(string @namespace, IReadOnlyDictionary<string, string> labels, int limit)
    {
        lock (_lock)
        {
            return [.. _counters.Values
                .Where(counter => labels.All(label => counter.Labels.TryGetValue(label.Key, out string? value) && (label.Value.Length == 0 || value == label.Value)))
                .Select(counter => counter.Name).Take(limit)];
        }
    }

    public ValueTask<IReadOnlyList<string>> FindAsync(
        string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        if (_fails)
            throw new IOException("The disk is on fire.");
        lock (_lock)
        {
            return ValueTask.FromResult<IReadOnlyList<string>>([.. _counters.Keys
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && (after is null || string.CompareOrdinal(name, after) > 0))
                .Take(limit)]);
        }
    }

    private static CounterValue? At(CounterValue? counter, double confidence) =>
        counter is null or { Exact: true } ? counter : counter with { Confidence = confidence };
}
