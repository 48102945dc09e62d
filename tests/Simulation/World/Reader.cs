using Sketch.Engine.Reads;
using Sketch.Tests.Simulation.Bugs;

namespace Sketch.Tests.Simulation.World;

/// <summary>
/// Dashboards: what they see must lie between what was acknowledged and what may have been counted, be one cut, and never fall while the counter cannot.
/// </summary>
internal sealed class Reader
{
    private const double Confidence = 0.99;

    private readonly Random _random;
    private readonly Node _node;
    private readonly Ledger _ledger;
    private readonly Bug _bug;
    private readonly HashSet<Key> _estimated = [];
    private readonly Dictionary<Key, long> _seen = [];
    private NodeProcess? _seenIn;

    public Reader(Random random, Node node, Ledger ledger, Bug bug)
    {
        _random = random;
        _node = node;
        _ledger = ledger;
        _bug = bug;
    }

    /// <summary>First reads of counters that are estimates.</summary>
    public int Estimates { get; private set; }

    /// <summary>How many of them had the truth outside of their bounds.</summary>
    public int Outside { get; private set; }

    public void Read()
    {
        if (!_node.IsOpen)
        {
            return;
        }

        string @namespace = new[] { Clients.Strong, Clients.Eventual, Clients.Approximate, Clients.Durable, Clients.Moving }[_random.Next(5)];
        if (_node.Process.Engine!.HasNamespace(@namespace))
        {
            string letter = @namespace == Clients.Moving ? "m" : "c";
            int counter = _random.Next(4);
            Check(@namespace, [$"{letter}{counter}", $"{letter}{counter}'"]);
            if (@namespace == Clients.Approximate)
            {
                Check(@namespace, [.. Enumerable.Range(0, 8).Select(_ => $"f{_random.Next(1_400)}").Distinct()]);
            }
        }
    }

    /// <summary>In peace, after a checkpoint of everything: all is exact, here and in the store.</summary>
    public void ReadEverything()
    {
        IReadOnlyDictionary<(string Namespace, string Name), long> stored = _node.Store.Totals;
        foreach (IGrouping<string, Key> group in _ledger.Keys.GroupBy(key => key.Namespace))
        {
            string[] names = [.. group.Select(key => key.Name)];
            IReadOnlyList<CounterValue?> values = _bug.Read(_node.Process.Engine!.Read(group.Key, names, Confidence));
            for (int i = 0; i < names.Length; i++)
            {
                Key key = new(group.Key, names[i]);
                (long least, long most) = _ledger.Of(key);
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

        IReadOnlyList<CounterValue?> values = _bug.Read(_node.Process.Engine!.Read(@namespace, names, Confidence));
        for (int i = 0; i < names.Length; i++)
        {
            Check(new Key(@namespace, names[i]), values[i]);
        }

        if (names is [_, _] && values[0]?.Exact != false && values[1]?.Exact != false && (values[0]?.Value ?? 0) != (values[1]?.Value ?? 0))
        {
            throw new Violation($"{@namespace}/{names[0]} is {values[0]?.Value} and {names[1]} {values[1]?.Value} in one read; they always grow together");
        }

        _node.Trace($"read {@namespace}/{names[0]} {values[0]?.Value}");
    }

    private void Check(Key key, CounterValue? value)
    {
        (long least, long most) = _ledger.Of(key);
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

        bool onlyGrows = !(key.Namespace is Clients.Strong or Clients.Eventual && key.Name.StartsWith("c0", StringComparison.Ordinal));
        if (exact && onlyGrows)
        {
            if (_seen.TryGetValue(key, out long before) && lower < before)
            {
                throw new Violation($"{key.Namespace}/{key.Name} fell from {before} to {lower}");
            }

            _seen[key] = lower;
        }
    }
}
