using System.Numerics;
using Microsoft.Extensions.Logging;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;

namespace Sketch.Engine.Expiry;

/// <summary>
/// Deletes counters that nobody incremented or defined for the lifetime of their namespace, some at a time: asks the store who is idle, writes their names into the log,
/// asks again when the store has all that came before that, and deletes whom both answers name. Who is incremented after the names says its name, and the fold keeps it.
/// A run that ends early leaves nothing that the next one does not end.
/// </summary>
internal sealed partial class CounterExpiry(
    ICheckpointStore store,
    LogIdentity log,
    CounterCatalogue catalogue,
    Func<RecordKind, byte[], CancellationToken, ValueTask<FoldOutcome>> append,
    Func<CancellationToken, Task> checkpoint,
    EngineOptions options,
    TimeProvider time,
    ILogger<CountingEngine> logger) : IDisposable
{
    private readonly SemaphoreSlim _running = new(1, 1);
    private long _expired;

    /// <summary>How many this process deleted.</summary>
    public long Expired => Volatile.Read(ref _expired);

    /// <inheritdoc/>
    public void Dispose() => _running.Dispose();

    /// <summary>Looks every hour until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(options.ExpireEvery, time);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                await ExpireAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is CheckpointStoreException or EngineBusyException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                LogPutOff(logger, e);
            }
        }
    }

    /// <summary>Deletes all that are idle now.</summary>
    /// <exception cref="CheckpointStoreException">The store can't be reached.</exception>
    /// <exception cref="EngineBusyException">The log takes no more, or is stopping.</exception>
    public async Task ExpireAsync(CancellationToken cancellationToken)
    {
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Log time, which is what increments have: a clock that goes wrong and comes back ends no counter.
            StoredPosition stored = await store.LastAsync(log, cancellationToken).ConfigureAwait(false);
            foreach (NamespaceEntry owner in catalogue.Namespaces)
            {
                NamespaceDefinition definition = owner.State.Definition;
                if (catalogue.Expiring.Count > 0)
                {
                    // From a run that ended early.
                    await append(RecordKind.Expiring, new ExpiringRecord(definition.Name, []).ToBytes(), cancellationToken).ConfigureAwait(false);
                }

                long beforeMs = stored.TimeMs - (long)options.Lifetime(definition).TotalMilliseconds;
                int expired = await ExpireAsync(owner, beforeMs, cancellationToken).ConfigureAwait(false);
                if (expired > 0)
                {
                    LogExpired(logger, expired, definition.Name, definition.LifetimeDays);
                }
            }
        }
        finally
        {
            _running.Release();
        }
    }

    private async Task<int> ExpireAsync(NamespaceEntry owner, long beforeMs, CancellationToken cancellationToken)
    {
        // Ids are hashes: a part of their range has its part of the counters. Each part has 2^n ids, all of whose lowest n bits are one in its last.
        int expired = 0;
        ulong part = ulong.MaxValue >> BitOperations.Log2((ulong)Math.Max(1, owner.Counters / options.IdleAskedAtOnce));
        IdleQuestion idle = new(log, owner.State.Definition.Name, beforeMs, 0, part, ExpiringRecord.MostNames);
        while (true)
        {
            IReadOnlyList<ulong> ids = await store.ReadIdleAsync(idle, cancellationToken).ConfigureAwait(false);
            if (ids.Count > 0)
            {
                expired += await ExpireAsync(idle, ids, cancellationToken).ConfigureAwait(false);
            }

            ulong seen = ids.Count < idle.Limit ? idle.Last : ids[^1];
            if (seen == ulong.MaxValue)
            {
                return expired;
            }

            idle = idle with { First = seen + 1, Last = (seen + 1) | part };
        }
    }

    private async Task<int> ExpireAsync(IdleQuestion idle, IReadOnlyList<ulong> ids, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<ulong, string> names = await store.ReadNamesAsync(idle.Namespace, ids, cancellationToken).ConfigureAwait(false);
        ExpiringRecord expiring = new(idle.Namespace, [.. names.Values]);
        long position = (await append(RecordKind.Expiring, expiring.ToBytes(), cancellationToken).ConfigureAwait(false)).Position;

        // Whoever was incremented before that record shows now; who still is idle was not, since the fewer are idle the more of them the limit lets through.
        await checkpoint(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<ulong> still = await store.ReadIdleAsync(idle, cancellationToken).ConfigureAwait(false);
        ulong[] going = [.. still.Where(names.ContainsKey)];
        RemovalRecord removal = new(idle.Namespace, [.. going.Select(id => names[id])], Deleted: true, position);
        await append(RecordKind.Removal, removal.ToBytes(), cancellationToken).ConfigureAwait(false);

        int gone = going.Count(catalogue.Counters.IsRemoved);
        Volatile.Write(ref _expired, _expired + gone);
        return gone;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} counters of {Namespace} were deleted: nobody incremented them for {Days} days")]
    private static partial void LogExpired(ILogger logger, int count, string @namespace, int days);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Idle counters stay until the next try")]
    private static partial void LogPutOff(ILogger logger, Exception exception);
}
