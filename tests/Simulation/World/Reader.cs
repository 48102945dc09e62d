using Sketch.Engine.Reads;
using Sketch.Tests.Simulation.Bugs;

namespace Sketch.Tests.Simulation.World;

/// <summary>
/// Dashboards: what they see must lie between what was acknowledged and what may have been counted, be one cut, and never fall while the counter cannot.
/// </summary>
internal sealed class Reader
{
    private const double Confidence = 0.99;
    private const int Counters = 4;
    private const int MostLooks = 40;

    private readonly Random _random;
    private readonly Node _node;
    private readonly Ledger _ledger;
    private readonly Bug _bug;
    private readonly Coverage _coverage;
    private readonly HashSet<Key> _estimated = [];
    private readonly Dictionary<Key, long> _seen = [];
    private readonly List<Look> _looks = [];
    private NodeProcess? _seenIn;

    public Reader(Random random, Node node, Ledger ledger, Bug bug, Coverage coverage)
    {
        _random = random;
        _node = node;
        _ledger = ledger;
        _bug = bug;
        _coverage = coverage;
    }

    /// <summary>First reads of counters that are estimates.</summary>
    public int Estimates { get; private set; }

    /// <summary>How many of them had the truth outside of their bounds.</summary>
    public int Outside { get; private set; }

    public void Read()
    {
        Harvest();
        if (!_node.IsOpen)
        {
            return;
        }

        string[] namespaces = [Clients.Strong, Clients.Eventual, Clients.Approximate, Clients.Durable, Clients.Moving];
        string chosen = namespaces[_random.Next(namespaces.Length)];
        ReadPair(chosen, _random.Next(Counters));
        if (chosen == Clients.Approximate && _node.Process.Engine!.HasNamespace(chosen))
        {
            Check(chosen, [.. Enumerable.Range(0, 8).Select(_ => $"f{_random.Next(1_400)}").Distinct()]);
        }

        // What was read comes back into memory until the next checkpoint: only who reads all of them finds many out of it.
        foreach (string @namespace in _node.IsTight ? namespaces : [])
        {
            for (int counter = 0; counter < Counters; counter++)
            {
                ReadPair(@namespace, counter);
            }
        }
    }

    private void ReadPair(string @namespace, int counter)
    {
        if (_node.Process.Engine!.HasNamespace(@namespace))
        {
            string letter = @namespace == Clients.Moving ? "m" : "c";
            Check(@namespace, [$"{letter}{counter}", $"{letter}{counter}'"]);
        }
    }

    /// <summary>In peace, after a checkpoint of everything: all is exact, here and in the store.</summary>
    public async Task ReadEverythingAsync()
    {
        Harvest();
        _looks.Clear();
        IReadOnlyDictionary<(string Namespace, string Name), long> stored = _node.Store.Totals;
        foreach (IGrouping<string, Key> group in _ledger.Keys.GroupBy(key => key.Namespace))
        {
            string[] names = [.. group.Select(key => key.Name)];
            IReadOnlyList<CounterValue?> values = _bug.Read(await _node.ReadAsync(group.Key, names, Confidence));
            for (int i = 0; i < names.Length; i++)
            {
                Key key = new(group.Key, names[i]);
                (long least, long most) = key.Namespace == Clients.Fading ? Lifetimes.SumOf(key, _ledger, _node.Store.Stored) : _ledger.Of(key);
                long value = values[i]?.Value ?? 0;
                long total = stored.GetValueOrDefault((key.Namespace, key.Name));
                if (values[i] is { Exact: false } || value < least || value > most || total != value)
                {
                    throw new Violation(
                        $"{key.Namespace}/{key.Name} is {values[i]} in the end, {total} in the store; acknowledged {least}, at most {most}");
                }
            }
        }

        if (_node.Store.Violation is { } wrong)
        {
            throw new Violation(wrong);
        }
    }

    private void Check(string @namespace, string[] names)
    {
        if (_seenIn != _node.Process)
        {
            _seenIn = _node.Process;
            _seen.Clear();
        }

        Key[] keys = [.. names.Select(n => new Key(@namespace, n))];
        Task<IReadOnlyList<CounterValue?>> reading = _node.Process.Engine!.ReadAsync(@namespace, names, Confidence, CancellationToken.None).AsTask();
        Look look = new(_node.Process, keys, reading, [.. keys.Select(_ledger.Of)], [.. keys.Select(k => _seen.TryGetValue(k, out long seen) ? seen : (long?)null)], _node.Store.Windows);
        if (reading.IsCompleted)
        {
            Check(look, waited: false);
        }
        else if (_looks.Count < MostLooks)
        {
            _looks.Add(look);
        }
    }

    /// <summary>What had to wait for the store: it must lie between what was acknowledged when it was asked and what may have been counted when it was answered.</summary>
    public void Harvest()
    {
        foreach (Look look in _looks.Where(l => l.Reading.IsCompleted || l.Process != _node.Process).ToArray())
        {
            _looks.Remove(look);
            if (look.Process == _node.Process && look.Reading.IsCompleted)
            {
                _coverage.Hit(look.Windows == _node.Store.Windows ? Fault.TotalReadThroughTheStore : Fault.CheckpointLandedWhileReading, _node.State);
                Check(look, waited: true);
            }
        }
    }

    private void Check(Look look, bool waited)
    {
        if (look.Reading.Exception?.InnerException is Sketch.Engine.Checkpoints.CheckpointStoreException or OperationCanceledException || look.Reading.IsCanceled)
        {
            return;
        }

        IReadOnlyList<CounterValue?> values = _bug.Read(look.Reading.Result);
        string @namespace = look.Keys[0].Namespace;
        string[] names = [.. look.Keys.Select(k => k.Name)];
        for (int i = 0; i < names.Length; i++)
        {
            Check(look.Keys[i], values[i], look.Least[i].Least, look.Seen[i], waited);
        }

        if (names is [_, _] && values[0]?.Exact != false && values[1]?.Exact != false && (values[0]?.Value ?? 0) != (values[1]?.Value ?? 0))
        {
            throw new Violation($"{@namespace}/{names[0]} is {values[0]?.Value} and {names[1]} {values[1]?.Value} in one read; they always grow together");
        }

        _node.Trace($"read {@namespace}/{names[0]} {values[0]?.Value}");
    }

    private void Check(Key key, CounterValue? value, long least, long? before, bool waited)
    {
        bool onlyGrows = !(key.Namespace is Clients.Strong or Clients.Eventual && key.Name.StartsWith("c0", StringComparison.Ordinal));
        if (waited && !onlyGrows)
        {
            return; // it may have been anything in between
        }

        long most = _ledger.Of(key).Most;
        bool exact = value?.Exact ?? true;
        (long lower, long upper) = (value?.Lower ?? 0, value?.Upper ?? 0);
        bool outside = lower > most || upper < least;
        if (!exact && _estimated.Add(key))
        {
            Estimates++;
            Outside += outside ? 1 : 0;
        }

        if ((exact && outside) || (key.Namespace == Clients.Strong && !exact) || lower > (value?.Value ?? 0) || upper < (value?.Value ?? 0))
        {
            throw new Violation($"{key.Namespace}/{key.Name} reads as {value}; acknowledged {least}, at most {most}");
        }

        if (exact && onlyGrows)
        {
            if (lower < before)
            {
                throw new Violation($"{key.Namespace}/{key.Name} fell from {before} to {lower}");
            }

            _seen[key] = Math.Max(lower, _seen.GetValueOrDefault(key));
        }
    }

    /// <summary>A read under way: whose, and what was known when it began.</summary>
    private sealed record Look(
        NodeProcess Process, Key[] Keys, Task<IReadOnlyList<CounterValue?>> Reading, (long Least, long Most)[] Least, long?[] Seen, int Windows);
}
