using Sketch.Engine.Totals;

namespace Sketch.Engine.Checkpoints;

/// <content>A stored window moves the totals in memory, and what is too much for memory leaves it.</content>
internal sealed partial class Checkpointer
{
    // Asking for the heaviest is a look at all totals of a namespace: not for every window.
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(10);

    private static readonly Dictionary<ulong, long> None = [];

    private DateTimeOffset _asked;

    private async Task SettleAsync(ClosedWindow window, CancellationToken cancellationToken)
    {
        DeltaColumns deltas = window.Checkpoint.Deltas;
        CounterTable table = catalogue.Counters;
        long before = views.View.Epoch;
        IReadOnlyDictionary<ulong, long> fetched = await FetchAsync(Wanted(deltas, before), window.Span.To, cancellationToken).ConfigureAwait(false);

        table.Apply(deltas, before + 1);
        heaviest.Take(table, deltas, fetched);
        KeepNames(window.Checkpoint.Names); // before the window goes, which knows them until then
        views.Settle(window, heaviest.Ids);
        table.Finish(deltas);
        table.Stored(window.Checkpoint.Names);
        table.Return(fetched, before + 1, wereCounted: true);
        heaviest.Pin(table);
        table.Evict();
        table.Fit();
        Volatile.Write(ref _storedTo, window.Span.To);
        Interlocked.Exchange(ref _moved, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

        await AskForHeaviestAsync(cancellationToken).ConfigureAwait(false);
    }

    // Names of those on the lists are asked for; a name that was just stored needs no look into the store.
    private void KeepNames(IReadOnlyList<NamedCounter> stored)
    {
        HashSet<ulong> listed = heaviest.Listed();
        foreach (NamedCounter counter in stored)
        {
            if (listed.Contains(counter.Id))
            {
                names.Add(counter.Id, counter.Name);
            }
        }
    }

    // By namespace, counters out of memory whose totals a window makes wanted.
    private Dictionary<string, ulong[]> Wanted(DeltaColumns deltas, long epoch)
    {
        Dictionary<string, ulong[]> wanted = heaviest.Wanted(catalogue.Counters, epoch, deltas);
        foreach (DeltaRun run in deltas.Runs)
        {
            if (OftenCounted.In(catalogue.Counters, epoch, run) is { Length: > 0 } often)
            {
                wanted[run.Namespace] = [.. often.Union(wanted.GetValueOrDefault(run.Namespace, []))];
            }
        }

        return wanted;
    }

    /// <summary>Totals of counters out of memory. Without those of counters that may belong to the lists of the heaviest the lists are doubtful, not wrong for ever.</summary>
    private async Task<IReadOnlyDictionary<ulong, long>> FetchAsync(
        Dictionary<string, ulong[]> wanted, long position, CancellationToken cancellationToken)
    {
        if (wanted.Count == 0)
        {
            return None;
        }

        Dictionary<ulong, long> fetched = [];
        try
        {
            foreach ((string @namespace, ulong[] ids) in wanted)
            {
                foreach ((ulong id, long total) in await store.ReadTotalsAsync(log.Identity, position, @namespace, ids, cancellationToken).ConfigureAwait(false))
                {
                    fetched.Add(id, total);
                }
            }
        }
        catch (CheckpointStoreException e)
        {
            Error = e.Message;
        }

        return fetched;
    }

    private async Task AskForHeaviestAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        IReadOnlyList<int> doubtful = heaviest.Doubtful;
        if (doubtful.Count == 0 || now - _asked < AskEvery)
        {
            return;
        }

        _asked = now;
        try
        {
            foreach (int index in doubtful)
            {
                string @namespace = catalogue.Namespaces[index].State.Definition.Name;
                IReadOnlyList<StoredTotal> found = await store.ReadHeaviestAsync(@namespace, heaviest.Asked, cancellationToken).ConfigureAwait(false);
                catalogue.Counters.Return(found.ToDictionary(f => f.Id, f => f.Total), views.View.Epoch, wereCounted: false);
                heaviest.Replace(index, found, isAll: found.Count < heaviest.Asked);
            }
        }
        catch (CheckpointStoreException e)
        {
            Error = e.Message;
        }

        heaviest.Pin(catalogue.Counters);
        views.Load(heaviest.Ids);
    }
}
