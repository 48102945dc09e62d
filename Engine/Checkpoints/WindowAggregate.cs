using System.Collections.Frozen;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Fold;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Checkpoints;

/// <summary>The checkpointer's side of the fold: adds a window up exactly, and hands it over sorted when the log closes it.</summary>
internal sealed partial class WindowAggregate(LogIdentity log, LogFold fold) : IFoldSink
{
    private readonly List<DeltaTable?> _byNamespace = [];
    private readonly uint[] _deltas = new uint[EngineLimits.MaxBatchIncrements];
    private readonly Dictionary<ulong, NamedCounter> _names = [];

    /// <summary>The window that was closed last, until it is taken.</summary>
    public ClosedWindow? Sealed { get; private set; }

    /// <summary>Whether the next closed window brings a snapshot with it.</summary>
    public bool WantsSnapshot { get; set; }

    /// <summary>Takes the window that was closed last; null when there is none.</summary>
    public ClosedWindow? Take()
    {
        ClosedWindow? taken = Sealed;
        Sealed = null;
        return taken;
    }

    /// <inheritdoc/>
    public void WindowClosed(in WindowSpan window)
    {
        Sealed = new ClosedWindow(window, ToCheckpoint(window), WantsSnapshot ? Snapshot.Of(fold, log, window.To, window.LastTimeMs) : null)
        {
            Restarted = TakeRestarted(),
            Members = TakeMembers(),
        };
        foreach (DeltaTable? table in _byNamespace)
        {
            table?.Clear();
        }

    }

    /// <inheritdoc/>
    public void Counted(NamespaceState owner, in IncrementPayload payload, in WindowSpan window)
    {
        DeltaTable deltas = Table(owner.Index);
        deltas.Add(payload.ExactIds, payload.ExactDeltas);
        deltas.Add(payload.ApproximateIds, payload.ApproximateDeltas(_deltas));
        foreach (ReadOnlySpan<byte> name in payload.Names)
        {
            ulong id = CounterId.Of(owner.IdPrefix, name);
            if (!fold.Counters.ContainsKey(id))
            {
                _names[id] = Named(owner, id, System.Text.Encoding.UTF8.GetString(name), owner.Definition.Tier);
            }
        }
    }

    /// <inheritdoc/>
    public void ExpiringChanged()
    {
    }

    /// <inheritdoc/>
    public void Defined(NamespaceState state)
    {
    }

    /// <inheritdoc/>
    public void Defined(ulong id, CounterState state) => _names[id] = Named(id, state, state.Generation);

    private static NamedCounter Named(NamespaceState owner, ulong id, string name, Tier tier) => new(
        owner.Definition.Name, name, id, Lowercase<CounterKind>.Of(CounterKind.Sum), Lowercase<Tier>.Of(tier), FrozenDictionary<string, string>.Empty);

    private static NamedCounter Named(ulong id, CounterState state, long generation) =>
        Named(state.Owner, id, state.Definition.Name, state.Tier) with
        {
            Kind = Lowercase<CounterKind>.Of(state.Definition.Kind),
            Labels = state.Definition.Labels ?? FrozenDictionary<string, string>.Empty,
            Generation = generation,
        };

    private NamedCounter[] TakeNames()
    {
        NamedCounter[] taken = [.. _names.Values];
        Array.Sort(taken, static (a, b) =>
            string.CompareOrdinal(a.Namespace, b.Namespace) is not 0 and var byNamespace ? byNamespace : string.CompareOrdinal(a.Name, b.Name));
        _names.Clear();
        return taken;
    }

    private DeltaTable Table(int namespaceIndex)
    {
        while (_byNamespace.Count <= namespaceIndex)
        {
            _byNamespace.Add(null);
        }

        return _byNamespace[namespaceIndex] ??= new DeltaTable();
    }

    private Checkpoint ToCheckpoint(in WindowSpan window)
    {
        List<DeltaRun> runs = [];
        foreach (NamespaceState owner in fold.Namespaces.OrderBy(n => n.Definition.Name, StringComparer.Ordinal))
        {
            if (owner.Index < _byNamespace.Count && _byNamespace[owner.Index] is { Count: > 0 } table)
            {
                (ulong[] ids, long[] deltas) = table.Sorted();
                runs.Add(new DeltaRun(owner.Definition.Name, ids, deltas));
            }
        }

        return new Checkpoint
        {
            Log = log,
            From = window.From,
            To = window.To,
            FirstTimeMs = window.FirstTimeMs,
            LastTimeMs = window.LastTimeMs,
            Increments = window.Increments,
            Deltas = new DeltaColumns(runs),
            Items = TakeItems(),
            Seen = TakeSeen(),
            RetentionDays = fold.Namespaces.ToDictionary(n => n.Definition.Name, n => n.Definition.RetentionDays),
            Names = TakeNames(),
        };
    }
}

/// <summary>A closed window, ready to be stored.</summary>
internal sealed record ClosedWindow(WindowSpan Span, Checkpoint Checkpoint, Snapshot? Snapshot)
{
    /// <summary>Counters that begin at zero with this window: what earlier windows left of them is taken away by it.</summary>
    public IReadOnlyList<(string Namespace, ulong Id)> Restarted { get; init; } = [];

    /// <summary>Elements of strong and eventual counters that it saw, when they are asked for.</summary>
    public IReadOnlyList<StoredMember> Members { get; init; } = [];
}
