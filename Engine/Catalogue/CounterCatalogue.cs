using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;
using Sketch.Engine.Totals;

namespace Sketch.Engine.Catalogue;

/// <summary>
/// Every namespace and counter known, for the doors and the readers. Changed by the fold, except that a door may enter a new name before its batch is logged:
/// that is how two names with one id are found out before either is counted.
/// </summary>
internal sealed class CounterCatalogue(ElementStates elements, CounterTable table)
{
    private readonly ConcurrentDictionary<string, NamespaceEntry> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ulong, CounterState> _defined = new();
    private NamespaceEntry[] _byIndex = [];
    private long _definitionsAt;

    private int _distinctCounters;
    private int _topCounters;

    // Names that doors entered and the log does not hold yet. More than batches can be on their way means that batches failed: those names are given up to be sent again.
    private const int MostEntered = 1 << 20;

    private FrozenDictionary<ulong, string> _expiring = FrozenDictionary<ulong, string>.Empty;

    private readonly ConcurrentDictionary<ulong, byte[]> _entered = new();
    private int _enteredCount; // the dictionary's own takes all of its locks

    /// <summary>Every counter by id, with its exact total while it is in memory.</summary>
    public CounterTable Counters { get; } = table;

    /// <summary>Counters that may be about to go, with their names: whoever increments one brings the name.</summary>
    public FrozenDictionary<ulong, string> Expiring => Volatile.Read(ref _expiring);

    /// <summary>How many counters there are.</summary>
    public long Count => Namespaces.Sum(n => n.Counters);

    /// <summary>Counters by their labels.</summary>
    public LabelIndex Labels { get; } = new();

    /// <summary>What counters of the kinds distinct and top have seen.</summary>
    public ElementStates Elements { get; } = elements;

    /// <summary>How many counters of a kind that takes elements there are; zero for sums, which need no definition.</summary>
    public int CountOf(CounterKind kind) => kind switch
    {
        CounterKind.Distinct => Volatile.Read(ref _distinctCounters),
        CounterKind.Top => Volatile.Read(ref _topCounters),
        _ => 0,
    };

    /// <summary>The namespaces by their number.</summary>
    public IReadOnlyList<NamespaceEntry> Namespaces => Volatile.Read(ref _byIndex);

    /// <summary>The position of the last definition seen here; batches carry it, so that the fold notices those judged by an older one.</summary>
    public long DefinitionsAt
    {
        get => Volatile.Read(ref _definitionsAt);
        set => Volatile.Write(ref _definitionsAt, value);
    }

    /// <summary>A namespace by its name; null when there is none.</summary>
    public NamespaceEntry? Find(string @namespace) => _byName.GetValueOrDefault(@namespace);

    /// <summary>A counter's own definition; null when it has none.</summary>
    public CounterState? Defined(ulong id) => _defined.GetValueOrDefault(id);

    /// <summary>Ids of counters that are defined with a kind.</summary>
    public IReadOnlyList<ulong> DefinedOf(CounterKind kind) => [.. _defined.Where(d => d.Value.Kind == kind).Select(d => d.Key)];

    /// <summary>The tier that a counter's increments have now.</summary>
    public Tier TierOf(ulong id, NameEntry entry, NamespaceEntry owner) =>
        entry.IsDefined && Defined(id) is { } counter ? counter.Tier : owner.State.Definition.Tier;

    /// <summary>The log holds this name. Only the fold, and start-up before it, call this.</summary>
    /// <exception cref="InvalidDataException">The id belongs to another name: the doors let two names through, which is our bug.</exception>
    public NameEntry Declare(ulong id, NamespaceEntry owner, ReadOnlySpan<byte> name, out bool isNew)
    {
        NameEntry entry = Add(id, owner, name);
        if (!entry.Is(owner.State.Index, name))
        {
            throw new InvalidDataException($"The log holds two names with the id {id:x16}, one of them {CounterName.Shown(name)}.");
        }

        isNew = !entry.IsDeclared;
        if (entry.IsRemoved)
        {
            owner.CountCounter();
        }

        if (isNew)
        {
            Counters.Mark(id, defined: false);
            Leave(id);
        }

        return entry;
    }

    /// <summary>A door enters a name if its id is free, before the log holds it; the door looks whether the entry is its own.</summary>
    public NameEntry Enter(ulong id, NamespaceEntry owner, ReadOnlySpan<byte> name)
    {
        NameEntry entry = Add(id, owner, name);
        if (!entry.IsDeclared && Volatile.Read(ref _enteredCount) < MostEntered && _entered.TryAdd(id, name.ToArray()))
        {
            Interlocked.Increment(ref _enteredCount);
            if (Counters.TryGet(id, out NameEntry now) && now.IsDeclared)
            {
                Leave(id); // the fold declared it in between, and may have looked before it was entered
            }
        }

        return entry;
    }

    /// <summary>The name that a door entered with this id; null when the log holds it, or it was given up.</summary>
    public byte[]? Entered(ulong id) => _entered.GetValueOrDefault(id);

    /// <summary>The fold defined a namespace.</summary>
    public void Defined(NamespaceState state)
    {
        if (state.Index == _byIndex.Length)
        {
            NamespaceEntry entry = new(state);
            Volatile.Write(ref _byIndex, [.. _byIndex, entry]);
            _byName[state.Definition.Name] = entry;
        }
    }

    /// <summary>The fold defined a counter.</summary>
    public void Defined(ulong id, CounterState state)
    {
        if (!_defined.ContainsKey(id))
        {
            AddToCount(state.Kind, 1);
        }

        _defined[id] = state;
        Labels.Set(id, (ushort)state.Owner.Index, state.Definition.Labels);
    }

    /// <summary>The fold has other expiring counters. Whoever sees one of them by its entry finds its name.</summary>
    public void SetExpiring(IReadOnlyDictionary<ulong, string> expiring)
    {
        Counters.MarkExpiring(Expiring.Keys, isExpiring: false);
        Volatile.Write(ref _expiring, expiring.ToFrozenDictionary());
        Counters.MarkExpiring(expiring.Keys, isExpiring: true);
    }

    /// <summary>The fold deleted a counter.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="owner">Whose it was.</param>
    /// <param name="name">Its name.</param>
    /// <param name="isStored">Whether the store knew of it when this process began.</param>
    public void Remove(ulong id, NamespaceEntry owner, string name, bool isStored)
    {
        if (_defined.TryRemove(id, out CounterState? state))
        {
            AddToCount(state.Kind, -1);
        }

        Labels.Remove(id);
        if (Counters.TryGet(id, out NameEntry entry))
        {
            if (!entry.IsRemoved)
            {
                Counters.MarkRemoved(id, isStored);
                owner.UncountCounter();
            }
        }
        else if (!isStored)
        {
            Counters.AddRemoved(id, owner.State.Index, Encoding.UTF8.GetBytes(name));
        }
    }

    private void Leave(ulong id)
    {
        if (_entered.TryRemove(id, out _))
        {
            Interlocked.Decrement(ref _enteredCount);
        }
    }

    private void AddToCount(CounterKind kind, int counters)
    {
        if (kind == CounterKind.Distinct)
        {
            Volatile.Write(ref _distinctCounters, _distinctCounters + counters);
        }
        else if (kind == CounterKind.Top)
        {
            Volatile.Write(ref _topCounters, _topCounters + counters);
        }
    }

    private NameEntry Add(ulong id, NamespaceEntry owner, ReadOnlySpan<byte> name)
    {
        NameEntry entry = Counters.GetOrAdd(id, owner.State.Index, name, out bool added);
        if (added)
        {
            owner.CountCounter();
        }

        return entry;
    }
}
