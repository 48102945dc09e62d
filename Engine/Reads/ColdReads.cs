using System.Collections.Concurrent;
using System.Collections.Frozen;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Engine.Windows;

namespace Sketch.Engine.Reads;

/// <summary>Totals that were read from the store, and the checkpoint that they are of.</summary>
internal sealed record LoadedTotals(long Epoch, IReadOnlyDictionary<ulong, long> ById)
{
    /// <summary>Nothing was loaded.</summary>
    public static readonly LoadedTotals None = new(-1, FrozenDictionary<ulong, long>.Empty);
}

/// <summary>
/// Reads through to the store: totals of counters that are out of memory, which come back with that, and names, of which the last ones asked for are kept. What is
/// asked for at the same time waits its turn; what nobody can wait for is asked for once at a time and is there for the next look.
/// </summary>
internal sealed class ColdReads(ICheckpointStore store, LogIdentity log, CounterCatalogue catalogue, LiveViews views, NameCache names) : IDisposable
{
    private const int MostAtOnce = 4;
    private const int MostIds = 4_096;

    private readonly SemaphoreSlim _turns = new(MostAtOnce);
    private readonly ConcurrentDictionary<ushort, bool> _later = new();
    private readonly CancellationTokenSource _ending = new();

    /// <summary>
    /// The totals of these counters at the newest checkpoint, beside those that were loaded before at the same one: loading some may have put others out of memory, and
    /// who reads many would never have all. A counter that the store does not know has none yet.
    /// </summary>
    /// <exception cref="CheckpointStoreException">The store can't be reached.</exception>
    public async Task<LoadedTotals> LoadAsync(NamespaceEntry owner, IReadOnlyList<ulong> ids, LoadedTotals before, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            LiveView view = views.View;
            Dictionary<ulong, long> totals = [];
            foreach (ulong[] some in ids.Distinct().Chunk(MostIds))
            {
                IReadOnlyDictionary<ulong, long> found = await store.ReadTotalsAsync(
                    log, view.ExactPosition, owner.State.Definition.Name, some, cancellationToken).ConfigureAwait(false);
                foreach (ulong id in some)
                {
                    totals[id] = found.GetValueOrDefault(id);
                }
            }

            catalogue.Counters.Return(totals, view.Epoch, wereCounted: false);
            catalogue.Counters.Trim();
            if (before.Epoch == view.Epoch)
            {
                foreach ((ulong id, long total) in before.ById)
                {
                    totals.TryAdd(id, total);
                }
            }

            return new LoadedTotals(view.Epoch, totals);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Finds names.</summary>
    /// <returns>Whether any was found: else another look finds no more.</returns>
    /// <exception cref="CheckpointStoreException">The store can't be reached.</exception>
    public async Task<bool> NameAsync(NamespaceEntry owner, IReadOnlyList<ulong> unnamed, CancellationToken cancellationToken)
    {
        bool found = false;
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (ulong[] some in unnamed.Chunk(MostIds))
            {
                foreach ((ulong id, string name) in await store.ReadNamesAsync(owner.State.Definition.Name, some, cancellationToken).ConfigureAwait(false))
                {
                    names.Add(id, name);
                    found = true;
                }
            }
        }
        finally
        {
            _turns.Release();
        }

        return found;
    }

    /// <summary>Loads totals for the next look; nobody waits.</summary>
    public void LoadLater(NamespaceEntry owner, IReadOnlyList<ulong> ids) => Later(owner, token => LoadAsync(owner, ids, LoadedTotals.None, token));

    /// <summary>Loads names and totals for the next look; nobody waits.</summary>
    public void NameLater(NamespaceEntry owner, IReadOnlyList<ulong> unnamed, IReadOnlyList<ulong> missing) =>
        Later(owner, async token =>
        {
            await LoadAsync(owner, missing, LoadedTotals.None, token).ConfigureAwait(false);
            await NameAsync(owner, unnamed, token).ConfigureAwait(false);
        });

    /// <inheritdoc/>
    public void Dispose() => _ending.Cancel();

    private void Later(NamespaceEntry owner, Func<CancellationToken, Task> load)
    {
        if (!_later.TryAdd(owner.State.Index, true))
        {
            return;
        }

        _ = Run();

        async Task Run()
        {
            try
            {
                await load(_ending.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is CheckpointStoreException or OperationCanceledException or ObjectDisposedException)
            {
                // The next look asks again.
            }
            finally
            {
                _later.TryRemove(owner.State.Index, out _);
            }
        }
    }
}
