using Sketch.Engine.Checkpoints;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;
using Sketch.Tests.Simulation.World;

namespace Sketch.Tests.Simulation.Bugs;

/// <summary>Sends each try of an insert with a token of its own.</summary>
internal sealed class DrawsRandomTokens : Bug
{
    public override bool StoresOnce => false;
}

/// <summary>Lets the log go before the store has confirmed.</summary>
internal sealed class TrimsBeforeConfirmed : Bug
{
    public override ICheckpointStore Wrap(ICheckpointStore store, IIncrementLog log) => new Store(store, log);

    private sealed class Store(ICheckpointStore store, IIncrementLog log) : StoreBug(store)
    {
        public override async ValueTask StoreAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
        {
            await log.TruncateBeforeAsync(checkpoint.To + 1, cancellationToken);
            await base.StoreAsync(checkpoint, cancellationToken);
        }
    }
}

/// <summary>Stores the position before the window.</summary>
internal sealed class StoresPositionFirst : Bug
{
    private StoredPosition _announced;

    public override ICheckpointStore Wrap(ICheckpointStore store, IIncrementLog log) => new Store(store, this);

    private sealed class Store(ICheckpointStore store, StoresPositionFirst bug) : StoreBug(store)
    {
        public override async ValueTask<StoredPosition> LastAsync(LogIdentity log, CancellationToken cancellationToken)
        {
            StoredPosition last = await base.LastAsync(log, cancellationToken);
            return last.Position > bug._announced.Position ? last : bug._announced;
        }

        public override ValueTask StoreAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
        {
            bug._announced = new StoredPosition(checkpoint.To, checkpoint.LastTimeMs);
            return base.StoreAsync(checkpoint, cancellationToken);
        }
    }
}

/// <summary>Answers a batch whose first try is still on its way as if it were counted.</summary>
internal sealed class AcknowledgesInFlightDuplicates : Bug
{
    private readonly HashSet<Sent> _underway = [];

    public override async Task<IncrementResult> CommitAsync(Sent sent, Func<Task<IncrementResult>> send)
    {
        if (!_underway.Add(sent))
        {
            return new IncrementResult(IncrementStatus.Accepted, sent.Increments.Length, Duplicate: true);
        }

        try
        {
            return await send();
        }
        finally
        {
            _underway.Remove(sent);
        }
    }
}

/// <summary>States bounds that are too small.</summary>
internal sealed class BoundsTooSmall : Bug
{
    public override IReadOnlyList<CounterValue?> Read(IReadOnlyList<CounterValue?> values) =>
        [.. values.Select(v => v is null ? null : v with { Lower = v.Value, Upper = v.Value })];
}

/// <summary>Reads the counters of one request from two moments.</summary>
internal sealed class ReadsTwoMoments : Bug
{
    private readonly Dictionary<Key, CounterValue?> _before = [];

    public override IReadOnlyList<CounterValue?> Read(IReadOnlyList<CounterValue?> values)
    {
        CounterValue?[] mixed = [.. values];
        if (values is [{ } first, ..])
        {
            Key key = new(first.Namespace, first.Name);
            mixed[0] = _before.GetValueOrDefault(key, first);
            _before[key] = first;
        }

        return mixed;
    }
}

/// <summary>Deletes idle counters without asking the store a second time.</summary>
internal sealed class AsksForIdleCountersOnce : Bug
{
    public override ICheckpointStore Wrap(ICheckpointStore store, IIncrementLog log) => new Store(store);

    private sealed class Store(ICheckpointStore store) : StoreBug(store)
    {
        private readonly Dictionary<IdleQuestion, IReadOnlyList<ulong>> _answers = [];

        public override async ValueTask<IReadOnlyList<ulong>> ReadIdleAsync(IdleQuestion idle, CancellationToken cancellationToken)
        {
            if (!_answers.Remove(idle, out IReadOnlyList<ulong>? ids))
            {
                ids = await base.ReadIdleAsync(idle, cancellationToken);
                _answers[idle] = ids;
            }

            return ids;
        }
    }
}

/// <summary>Passes everything on.</summary>
internal abstract class StoreBug(ICheckpointStore store) : ICheckpointStore
{
    public virtual ValueTask<StoredPosition> LastAsync(LogIdentity log, CancellationToken cancellationToken) => store.LastAsync(log, cancellationToken);

    public virtual ValueTask StoreAsync(Checkpoint checkpoint, CancellationToken cancellationToken) => store.StoreAsync(checkpoint, cancellationToken);

    public ValueTask<long> CountCountersAsync(CancellationToken cancellationToken) => store.CountCountersAsync(cancellationToken);

    public IAsyncEnumerable<StoredNames> ReadAllNamesAsync(CancellationToken cancellationToken) => store.ReadAllNamesAsync(cancellationToken);

    public IAsyncEnumerable<StoredSums> ReadAllTotalsAsync(bool whole, CancellationToken cancellationToken) => store.ReadAllTotalsAsync(whole, cancellationToken);

    public ValueTask<IReadOnlyDictionary<ulong, long>> ReadTotalsAsync(
        LogIdentity log, long position, string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken) =>
        store.ReadTotalsAsync(log, position, @namespace, ids, cancellationToken);

    public ValueTask<IReadOnlyList<StoredTotal>> ReadHeaviestAsync(string @namespace, int limit, CancellationToken cancellationToken) =>
        store.ReadHeaviestAsync(@namespace, limit, cancellationToken);

    public ValueTask<IReadOnlyDictionary<ulong, string>> ReadNamesAsync(
        string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken) => store.ReadNamesAsync(@namespace, ids, cancellationToken);

    public virtual ValueTask<IReadOnlyList<ulong>> ReadIdleAsync(IdleQuestion idle, CancellationToken cancellationToken) => store.ReadIdleAsync(idle, cancellationToken);

    public IAsyncEnumerable<IReadOnlyList<StoredDistinct>> ReadDistinctsAsync(CancellationToken cancellationToken) => store.ReadDistinctsAsync(cancellationToken);

    public IAsyncEnumerable<IReadOnlyList<StoredMember>> ReadMembersAsync(CancellationToken cancellationToken) => store.ReadMembersAsync(cancellationToken);

    public IAsyncEnumerable<IReadOnlyList<StoredItem>> ReadItemsAsync(LogIdentity log, long position, int limit, CancellationToken cancellationToken) =>
        store.ReadItemsAsync(log, position, limit, cancellationToken);

    public ValueTask<IReadOnlyList<string>> FindNamesAsync(
        string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken) =>
        store.FindNamesAsync(@namespace, prefix, after, limit, cancellationToken);

    public ValueTask<IReadOnlyList<HistoryPoint>> ReadHistoryAsync(
        string @namespace, ulong id, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken) =>
        store.ReadHistoryAsync(@namespace, id, from, to, stepHours, cancellationToken);

    public ValueTask<IReadOnlyList<SeenPoint>> ReadSeenAsync(
        string @namespace, ulong id, long generation, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken) =>
        store.ReadSeenAsync(@namespace, id, generation, from, to, stepHours, cancellationToken);

    public ValueTask DisposeAsync() => store.DisposeAsync();
}
