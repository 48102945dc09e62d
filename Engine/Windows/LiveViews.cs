using System.Collections.Frozen;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Fold;
using Sketch.Engine.Increments;
using Sketch.Engine.Reads;
using Sketch.Engine.Tables;
using Sketch.Sketches;

namespace Sketch.Engine.Windows;

/// <summary>
/// The live side of the fold: fills the open window, and publishes a new <see cref="LiveView"/> whenever a window ends or has become exact.
/// </summary>
internal sealed partial class LiveViews : IFoldSink
{
    private readonly Lock _publishing = new();
    private readonly CounterCatalogue _catalogue;
    private readonly SketchPool _sketches;
    private readonly LogFold _fold;
    private readonly long _storedPosition;
    private readonly uint[] _estimates = new uint[EngineLimits.MaxBatchIncrements];
    private readonly uint[] _deltas = new uint[EngineLimits.MaxBatchIncrements];
    private readonly long[] _sums = new long[EngineLimits.MaxBatchIncrements];
    private readonly Func<CountMinSketch> _sketchOfOpen;
    private LiveView _view;
    private LiveWindow _open;
    private long _increments;

    /// <param name="catalogue">Takes in names and definitions.</param>
    /// <param name="sketches">Where windows get their sketches.</param>
    /// <param name="fold">The fold that drives this sink.</param>
    /// <param name="storedPosition">What lies up to here is in the store already: a replay takes definitions from it, not names and increments.</param>
    public LiveViews(CounterCatalogue catalogue, SketchPool sketches, LogFold fold, long storedPosition)
    {
        _catalogue = catalogue;
        _sketches = sketches;
        _fold = fold;
        _storedPosition = storedPosition;
        _open = new LiveWindow(fold.Window.From);
        _sketchOfOpen = () => _open.SketchFrom(_sketches);
        _view = new LiveView(0, [_open], storedPosition, FrozenDictionary<int, ulong[]>.Empty);
    }

    /// <summary>The cut that readers see.</summary>
    public LiveView View => Volatile.Read(ref _view);

    /// <summary>Increments counted by this process, and before it as far as the log was replayed.</summary>
    public long Increments => Volatile.Read(ref _increments);

    /// <summary>Raised on the fold whenever a window was closed.</summary>
    public event Action<long>? Closed;

    /// <summary>Raised on the fold with each batch that counts: how many increments there are now.</summary>
    public event Action<long>? Grown;

    /// <inheritdoc/>
    public void WindowClosed(in WindowSpan window)
    {
        CloseElements(window);
        _open.Close(window);
        LiveWindow next = new(window.To + 1);
        lock (_publishing)
        {
            LiveWindow[] before = window.To <= _storedPosition ? [] : _view.Windows;
            Volatile.Write(ref _view, _view with { Windows = [.. before, next] });
        }

        _open = next;
        Closed?.Invoke(window.To);
    }

    /// <inheritdoc/>
    public void Counted(NamespaceState owner, in IncrementPayload payload, in WindowSpan window)
    {
        Volatile.Write(ref _increments, _increments + payload.Count);
        if (window.To <= _storedPosition)
        {
            return; // sums and names are in the store, which is read after the replay
        }

        NamespaceEntry entry = _catalogue.Namespaces[owner.Index];
        if (payload.NameCount > 0)
        {
            Declare(entry, payload.Names);
        }

        _open.BeginChange();
        AddExact(owner, payload.ExactIds, payload.ExactDeltas);
        if (payload.DefinitionsAt < _fold.LastTierChange)
        {
            AddJudgedAgain(entry, payload);
        }
        else if (payload.ApproximateCount > 0)
        {
            AddSketched(owner, payload.ApproximateIds, payload.ApproximateDeltas(_deltas));
        }

        _open.EndChange(window);
        Grown?.Invoke(_increments);
    }

    /// <inheritdoc/>
    public void ExpiringChanged()
    {
        // The counters first: who knows of this position has looked at them afterwards.
        _catalogue.SetExpiring(_fold.Expiring.Names);
        _catalogue.DefinitionsAt = _fold.Position + 1;
        Extend();
    }

    /// <inheritdoc/>
    public void Defined(NamespaceState state)
    {
        _catalogue.Defined(state);
        _catalogue.DefinitionsAt = _fold.Position + 1;
        Extend();
    }

    /// <inheritdoc/>
    public void Defined(ulong id, CounterState state)
    {
        Enter(id, state);
        _catalogue.DefinitionsAt = _fold.Position + 1;
        Extend();
    }

    /// <summary>Takes over what the fold knows from a snapshot; once, before anything is folded.</summary>
    public void Restore()
    {
        foreach (NamespaceState state in _fold.Namespaces)
        {
            _catalogue.Defined(state);
        }

        foreach ((ulong id, CounterState state) in _fold.Counters)
        {
            Enter(id, state);
        }

        _catalogue.DefinitionsAt = _fold.Position;
    }

    /// <summary>Puts in place what was found in the store; once, before the first reader.</summary>
    public void Load(FrozenDictionary<int, ulong[]> heaviest)
    {
        lock (_publishing)
        {
            Volatile.Write(ref _view, _view with { Heaviest = heaviest });
        }
    }

    /// <summary>A window became exact: its deltas are in the totals of the next epoch, and it leaves the view in the same moment.</summary>
    public void Settle(ClosedWindow closed, FrozenDictionary<int, ulong[]> heaviest)
    {
        WindowSpan window = closed.Span;
        LiveWindow settled;
        lock (_publishing)
        {
            settled = _view.Windows[0];
            if (settled.From != window.From || settled.Span.To != window.To)
            {
                throw new InvalidOperationException($"Window {window.From} to {window.To} was stored while {settled.From} to {settled.Span.To} is the oldest.");
            }

            Volatile.Write(ref _view, _view with
            {
                Epoch = _view.Epoch + 1,
                Windows = _view.Windows[1..],
                ExactPosition = window.To,
                Heaviest = heaviest,
                Items = With(_view.Items.RemoveRange(closed.Restarted.Select(r => r.Id)), closed.Checkpoint.Items),
            });
        }

        if (settled.Sketch is { } sketch)
        {
            _sketches.Return(sketch);
        }
    }

    private void Enter(ulong id, CounterState state)
    {
        _catalogue.Defined(id, state);
        NamespaceEntry owner = _catalogue.Namespaces[state.Owner.Index];
        string name = state.Definition.Name;
        _catalogue.Declare(id, owner, System.Text.Encoding.UTF8.GetBytes(name), out bool isNew);
        _catalogue.Counters.Mark(id, defined: true);
        if (isNew)
        {
            _open.AddName(id, state.Owner.Index, name);
        }
    }

    private void Declare(NamespaceEntry owner, IncrementPayload.NameEnumerator names)
    {
        Span<ulong> ids = stackalloc ulong[IdLines.Together];
        IncrementPayload.NameEnumerator ahead = names;
        while (true)
        {
            int count = 0;
            while (count < ids.Length && ahead.MoveNext())
            {
                ids[count++] = CounterId.Of(owner.IdPrefix, ahead.Current);
            }

            if (count == 0)
            {
                return;
            }

            _catalogue.Counters.Prefetch(ids[..count]);
            foreach (ulong id in ids[..count])
            {
                names.MoveNext();
                Declare(id, owner, names.Current);
            }
        }
    }

    private void Declare(ulong id, NamespaceEntry owner, ReadOnlySpan<byte> name)
    {
        _catalogue.Declare(id, owner, name, out bool isNew);
        if (isNew)
        {
            _open.AddName(id, owner.State.Index, System.Text.Encoding.UTF8.GetString(name));
        }
    }

    private void Extend()
    {
        _open.BeginChange();
        _open.EndChange(_fold.Window);
    }

    private void AddExact(NamespaceState owner, ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas)
    {
        if (ids.IsEmpty)
        {
            return;
        }

        Span<long> sums = _sums.AsSpan(0, ids.Length);
        _open.Exact.Add(ids, deltas, sums);
        _open.HeaviestOf(owner.Index).Offer(ids, deltas, sums, _open.Sketch);
    }

    private void AddSketched(NamespaceState owner, ReadOnlySpan<ulong> ids, ReadOnlySpan<uint> deltas)
    {
        Span<uint> estimates = _estimates.AsSpan(0, ids.Length);
        _open.SketchFrom(_sketches).Add(ids, deltas, estimates);
        _open.HeaviestOf(owner.Index).Offer(ids, deltas, estimates, _open.Exact);
    }

    // The sender judged these increments before a tier changed: who is no longer approximate must not go to the sketch, where no reader would look.
    private void AddJudgedAgain(NamespaceEntry owner, in IncrementPayload payload)
    {
        ReadOnlySpan<ulong> ids = payload.ApproximateIds;
        ReadOnlySpan<uint> deltas = payload.ApproximateDeltas(_deltas);
        for (int i = 0; i < ids.Length; i++)
        {
            ulong id = ids[i];
            Tier tier = _fold.Counters.TryGetValue(id, out CounterState? counter) ? counter.Tier : owner.State.Definition.Tier;
            if (tier == Tier.Approximate)
            {
                AddSketched(owner.State, ids.Slice(i, 1), deltas.Slice(i, 1));
            }
            else
            {
                AddExact(owner.State, [id], [deltas[i]]);
            }
        }
    }
}
