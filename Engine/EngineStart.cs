using Microsoft.Extensions.Logging;
using Sketch.Engine.Appends;
using Sketch.Engine.Audit;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;
using Sketch.Engine.Totals;
using Sketch.Engine.Windows;
using Sketch.Sketches;

namespace Sketch.Engine;

/// <summary>Brings an engine from what lies on disk and in the store to the moment it can count.</summary>
internal static partial class EngineStart
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(2);

    /// <summary>Loads, replays and checks; the engine counts when this returns.</summary>
    /// <param name="options">Folders and limits.</param>
    /// <param name="log">The log, open.</param>
    /// <param name="store">What holds the checkpoints.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Gets the progress.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EngineStateException">Snapshot, log and store do not belong together.</exception>
    /// <exception cref="CheckpointStoreException">The store failed.</exception>
    public static async Task<CountingEngine> OpenAsync(
        EngineOptions options,
        IIncrementLog log,
        ICheckpointStore store,
        TimeProvider time,
        ILogger<CountingEngine> logger,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await TryOpenAsync(options, log, store, time, logger, cancellationToken).ConfigureAwait(false) is { } engine)
            {
                return engine;
            }
        }
    }

    /// <summary>Null when the store moved meanwhile: an insert that an earlier process had sent may arrive late, and totals must be those of one position.</summary>
    private static async Task<CountingEngine?> TryOpenAsync(
        EngineOptions options,
        IIncrementLog log,
        ICheckpointStore store,
        TimeProvider time,
        ILogger<CountingEngine> logger,
        CancellationToken cancellationToken)
    {
        options.Validate();
        string folder = Path.Combine(options.DataFolder, "engine");
        byte[] secret = DeploymentSecret.LoadOrCreate(options.Disk, folder);
        SnapshotFile snapshots = new(options.Disk, folder);
        Snapshot? snapshot = snapshots.Read();
        StoredPosition stored = await store.LastAsync(log.Identity, cancellationToken).ConfigureAwait(false);
        Check(log, snapshot, stored);

        LogFold fold = snapshot?.ToFold() ?? new LogFold();
        ElementStates elements = new(new ElementHasher(secret));
        await elements.LoadAsync(store, cancellationToken).ConfigureAwait(false);
        CounterTable table = new(secret, options.TotalsMemoryBytes);
        CounterCatalogue catalogue = new(elements, table);
        SketchPool sketches = new(options.SketchMemoryBytes, secret, log.Identity.Number);
        LiveViews views = new(catalogue, sketches, fold, stored.Position);
        views.Restore();

        SketchKey ghosts = SketchKey.Derive(secret, "ghosts", log.Identity.Number, 0);
        AccuracyAudit audit = new(ghosts, logger);
        HeaviestTotals heaviest = new(catalogue, options.HeaviestKept);
        table.Leaves = heaviest.Leaves;
        NameCache names = new();
        Checkpointer checkpointer = new(
            log, store, snapshot?.ToFold() ?? new LogFold(), views, catalogue, heaviest, names, snapshots, audit, stored,
            TimeSpan.FromSeconds(options.CheckpointEverySeconds), options.AddedAtOnce, time, logger);
        views.Closed += checkpointer.WindowClosed;
        views.Grown += checkpointer.Grown;

        PendingAppends pending = new();
        RecordCuts cuts = new();
        LogFollower follower = new(log, fold, views, pending, cuts, options.Progress);
        CountingEngine engine = new(new EngineParts(
            options, log, store, time, catalogue, pending, views, follower, checkpointer,
            new WindowMarker(log, views, checkpointer, TimeSpan.FromSeconds(options.WindowSeconds), time),
            new CounterReads(catalogue, views, cuts, new GhostCache(ghosts), names, time),
            new ColdReads(store, log.Identity, catalogue, views, names),
            audit, logger));

        long started = time.GetTimestamp();
        Task following = Task.Run(() => follower.RunAsync(engine.Stopping), CancellationToken.None);
        Task makingRoom = MakeRoomAsync(store, table, cancellationToken);
        try
        {
            await UntilCaughtUpAsync(following, follower, options.Progress, time, logger, cancellationToken).ConfigureAwait(false);
            double replaySeconds = time.GetElapsedTime(started).TotalSeconds;
            foreach (NamespaceEntry owner in catalogue.Namespaces)
            {
                owner.TryAdmit(owner.State.Weight);
            }

            await makingRoom.ConfigureAwait(false);
            await LoadCountersAsync(store, catalogue, heaviest, options.Progress, cancellationToken).ConfigureAwait(false);
            catalogue.SetExpiring(fold.Expiring.Names); // once more: now those that the store names are there
            if (await store.LastAsync(log.Identity, cancellationToken).ConfigureAwait(false) != stored)
            {
                await engine.DisposeAsync().ConfigureAwait(false);
                await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return null;
            }

            table.Return(heaviest.FinishLoading(), epoch: 0, wereCounted: false);
            heaviest.Pin(table);
            table.Evict();
            views.Load(heaviest.Ids);
            views.Load(await elements.ReadItemsAsync(store, log.Identity, stored.Position, cancellationToken).ConfigureAwait(false));
            double seconds = time.GetElapsedTime(started).TotalSeconds;
            long counters = catalogue.Count;
            long replayed = follower.Position - stored.Position;
            LogReady(logger, counters, stored.Position, replayed, replaySeconds, seconds);
        }
        catch
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            await makingRoom.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        engine.Start(following);
        return engine;
    }

    private static async Task UntilCaughtUpAsync(
        Task following, LogFollower follower, OpeningProgress progress, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        Task caughtUp = Task.WhenAny(following, follower.CaughtUp);
        while (await Task.WhenAny(caughtUp, Task.Delay(ProgressEvery, time, cancellationToken)).ConfigureAwait(false) != caughtUp)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long replayed = progress.Replayed;
            long records = progress.Records;
            LogReplaying(logger, progress.Percent, replayed, records);
        }

        if (!follower.CaughtUp.IsCompleted)
        {
            await following.ConfigureAwait(false);
        }
    }

    private static void Check(IIncrementLog log, Snapshot? snapshot, StoredPosition stored)
    {
        if (snapshot is not null && (snapshot.Incarnation != log.Identity.Incarnation || snapshot.LogNumber != log.Identity.Number))
        {
            throw new EngineStateException(
                $"The snapshot is of log {snapshot.Incarnation:x16}/{snapshot.LogNumber}, the log is {log.Identity.Incarnation:x16}/{log.Identity.Number}: one of them was put in place of another.");
        }

        long from = snapshot?.Position ?? 0;
        if (stored.Position < from)
        {
            throw new EngineStateException(
                $"ClickHouse holds checkpoints up to position {stored.Position}, but up to {from} they were stored before: its data was lost or replaced. Restore it from a backup.");
        }

        if (log.Range.First > from + 1)
        {
            throw new EngineStateException(
                $"The log begins at position {log.Range.First}, but the last snapshot is of position {from}: a part of the log is missing.");
        }

        if (stored.Position >= log.Range.Next)
        {
            throw new EngineStateException(
                $"ClickHouse holds checkpoints up to position {stored.Position}, but the log ends at {log.Range.Next - 1}: the end of the log was lost. Restore both from one backup.");
        }
    }

    // Memory that was never touched takes its time: it comes while the log is replayed.
    private static async Task MakeRoomAsync(ICheckpointStore store, CounterTable table, CancellationToken cancellationToken)
    {
        try
        {
            table.Expect(await store.CountCountersAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (CheckpointStoreException)
        {
            // Room is made as it is needed then; whether the store is back shows when it is read.
        }
    }

    private static async Task LoadCountersAsync(
        ICheckpointStore store,
        CounterCatalogue catalogue,
        HeaviestTotals heaviest,
        OpeningProgress progress,
        CancellationToken cancellationToken)
    {
        CounterTable table = catalogue.Counters;
        await foreach (StoredNames names in store.ReadAllNamesAsync(cancellationToken).ConfigureAwait(false))
        {
            progress.Loaded(names.Count);
            NamespaceEntry owner = Owner(names.Namespace);
            owner.CountCounters(table.LoadNames(owner.State.Index, names));
        }

        // The list of the heaviest needs whole totals of those out of memory, and sees all others when theirs are whole.
        List<StoredTotal>? outside = table.HasLeft ? [] : null;
        await foreach (StoredSums sums in store.ReadAllTotalsAsync(whole: outside is not null, cancellationToken).ConfigureAwait(false))
        {
            ushort index = Owner(sums.Namespace).State.Index;
            table.LoadTotals(index, sums.Ids.Span, sums.Sums.Span, outside);
            if (outside is not null)
            {
                heaviest.Offer(index, outside);
                outside.Clear();
            }
        }

        heaviest.Offer(table);
        table.FinishLoading();

        NamespaceEntry Owner(string @namespace) => catalogue.Find(@namespace) ?? throw new EngineStateException(
            $"ClickHouse holds counters of the namespace '{@namespace}', which the log does not define.");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Replaying the log: {Percent} %, {Replayed} of {Records} records")]
    private static partial void LogReplaying(ILogger logger, int percent, long replayed, long records);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Ready: {Counters} counters exact up to position {Position}, {Replayed} records after it replayed in {ReplaySeconds:0.0} s, ready in {Seconds:0.0} s")]
    private static partial void LogReady(ILogger logger, long counters, long position, long replayed, double replaySeconds, double seconds);
}
