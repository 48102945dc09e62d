using Microsoft.Extensions.Logging;
using Sketch.Engine.Audit;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;
using Sketch.Engine.Windows;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// Makes windows exact, behind the increments: reads their part of the log again and adds it up, some million increments at a time while they are open, stores them once when they are
/// closed, moves the totals, and lets the log go. While one window is stored and the next one waits for it, nothing more is added up. A failing store is tried again for ever, while live
/// values stay right and windows wait.
/// </summary>
internal sealed partial class Checkpointer(
    IIncrementLog log,
    ICheckpointStore store,
    LogFold fold,
    LiveViews views,
    CounterCatalogue catalogue,
    HeaviestTotals heaviest,
    NameCache names,
    SnapshotFile snapshots,
    AccuracyAudit audit,
    StoredPosition stored,
    TimeSpan every,
    long addedAtOnce,
    TimeProvider time,
    ILogger<CountingEngine> logger) : IDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // Snapshots of many definitions take long: no more than a twentieth of the time goes into them.
    private static readonly TimeSpan SnapshotEvery = TimeSpan.FromSeconds(10);
    private const int SnapshotShare = 20;
    private const long NoPause = -1;

    private readonly SemaphoreSlim _closed = new(0, 1);
    private readonly TaskCompletionSource _never = new();
    private readonly WindowAggregate _aggregate = new(log.Identity, fold);
    private readonly StoreTimes _storeTimes = new(time);

    // A window that was added up to its end before the live fold had closed it; and with how many increments the open one is looked at next.
    private ClosedWindow? _added;
    private long _addAt;
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _closedTo;
    private long _storedTo = stored.Position;
    private long _addedUpTo = stored.Position;
    private Task? _signal;
    private bool _hurry;
    private DateTimeOffset _snapshotAt = time.GetUtcNow();
    private long _snapshotPause;

    /// <summary>The last position stored.</summary>
    public long StoredTo => Volatile.Read(ref _storedTo);

    /// <summary>The last position added up; it may be on its way to the store.</summary>
    public long AddedUpTo => Volatile.Read(ref _addedUpTo);

    /// <summary>How long the store is to be expected to take for a window.</summary>
    public TimeSpan StoreTime => _storeTimes.Expected;

    /// <summary>Why the store failed last; null once it went well again.</summary>
    public string? Error { get; private set; }

    /// <summary>The live fold closed a window.</summary>
    public void WindowClosed(long to)
    {
        Volatile.Write(ref _closedTo, to);
        Wake();
    }

    /// <summary>The live fold has counted so many increments by now.</summary>
    public void Grown(long increments)
    {
        if (increments >= Volatile.Read(ref _addAt) && _closed.CurrentCount == 0)
        {
            Wake();
        }
    }

    /// <summary>Someone waits: don't pause before the next window.</summary>
    public void Hurry()
    {
        Volatile.Write(ref _hurry, true);
        Wake();
    }

    /// <summary>Completes when the next window was stored.</summary>
    public Task Moved => Volatile.Read(ref _moved).Task;

    /// <inheritdoc/>
    public void Dispose() => _closed.Dispose();

    /// <summary>Works until cancelled.</summary>
    /// <exception cref="IOException">The log is damaged.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Task storing = Task.CompletedTask;
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (true)
            {
                // Not how far the fold has read: a window that the hour ends is seen to end with the first record of the next one, which may be all of that.
                while (AddedUpTo < Volatile.Read(ref _closedTo))
                {
                    // A window is added up while the one before it is on its way to the store; no more than these two are held.
                    if (await AggregateAsync(cancellationToken).ConfigureAwait(false) is { } window)
                    {
                        Volatile.Write(ref _addedUpTo, window.Span.To);
                        await storing.ConfigureAwait(false);
                        storing = Task.Run(() => KeepAsync(window, ending.Token), CancellationToken.None);
                    }
                    else
                    {
                        // The window's end was written, but will never be durable: the log has failed, or is about to say so.
                        await log.Failed.WaitAsync(cancellationToken).ConfigureAwait(false);
                    }
                }

                await AddOpenAsync(cancellationToken).ConfigureAwait(false);
                if (!storing.IsCompleted)
                {
                    await SignalOrAsync(storing, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                await storing.ConfigureAwait(false);
                await SignalOrAsync(_never.Task, cancellationToken).ConfigureAwait(false);
                if (AddedUpTo < Volatile.Read(ref _closedTo))
                {
                    await PauseAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            // Whatever ended this must be heard of also while the store is away.
            await ending.CancelAsync().ConfigureAwait(false);
            await storing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Until a window is closed, somebody is in a hurry, or something else has ended: the caller looks which. One wait for the semaphore at a time, and none is ever given
    // up: a signal that went to one that was would be lost, and its window wait for the next.
    private async Task SignalOrAsync(Task other, CancellationToken cancellationToken)
    {
        _signal ??= _closed.WaitAsync(cancellationToken);
        if (await Task.WhenAny(_signal, other).ConfigureAwait(false) == _signal)
        {
            Task signal = _signal;
            _signal = null;
            await signal.ConfigureAwait(false);
        }
    }

    private async Task PauseAsync(CancellationToken cancellationToken)
    {
        if (!Volatile.Read(ref _hurry))
        {
            using CancellationTokenSource hurried = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Task pause = Task.Delay(every, time, hurried.Token);
            while (!Volatile.Read(ref _hurry) && !pause.IsCompleted)
            {
                await SignalOrAsync(pause, cancellationToken).ConfigureAwait(false);
                await AddOpenAsync(cancellationToken).ConfigureAwait(false);
            }

            await hurried.CancelAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }

        Volatile.Write(ref _hurry, false);
    }

    private void Wake()
    {
        lock (_closed)
        {
            if (_closed.CurrentCount == 0)
            {
                _closed.Release();
            }
        }
    }

    private async Task KeepAsync(ClosedWindow window, CancellationToken cancellationToken)
    {
        if (window.Span.To > StoredTo)
        {
            ClosedWindow whole = await WithElementsAsync(window, views.View, cancellationToken).ConfigureAwait(false);
            await StoreAsync(whole.Checkpoint, cancellationToken).ConfigureAwait(false);
            audit.Compare(views.View.Windows[0], window.Checkpoint.Deltas);
            await SettleAsync(whole, cancellationToken).ConfigureAwait(false);
        }

        if (window.Snapshot is { } snapshot && TrySave(snapshot))
        {
            await log.TruncateBeforeAsync(snapshot.Position + 1, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>False when the disk is full: the log keeps what it has, and the next window that is added up tries again.</summary>
    private bool TrySave(Snapshot snapshot)
    {
        long began = time.GetTimestamp();
        try
        {
            snapshots.Write(snapshot);
            Volatile.Write(ref _snapshotPause, (time.GetElapsedTime(began) * SnapshotShare).Ticks);
            return true;
        }
        catch (LogDiskException full) when (full.Fault == DiskFault.NoSpace)
        {
            Volatile.Write(ref _snapshotPause, NoPause);
            LogSnapshotFailed(logger, snapshot.Position, full);
            return false;
        }
    }

    // At most once in ten seconds, and less often where they take long; at once when the last one found no room.
    private bool IsSnapshotDue()
    {
        long pause = Volatile.Read(ref _snapshotPause);
        return pause == NoPause || time.GetUtcNow() - _snapshotAt >= TimeSpan.FromTicks(Math.Max(pause, SnapshotEvery.Ticks));
    }

    private async Task<ClosedWindow?> AggregateAsync(CancellationToken cancellationToken)
    {
        if (_added is { } added)
        {
            _added = null;
            Volatile.Write(ref _addAt, 0);
            return added;
        }

        return await AddAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds up what came of the window that is not closed yet, when that is much.</summary>
    private async Task AddOpenAsync(CancellationToken cancellationToken)
    {
        if (_added is not null || views.Increments < _addAt)
        {
            return;
        }

        // After a start the log may begin with windows that the store holds: they come first, with the next one that it does not.
        bool isStored = fold.Position < stored.Position;
        _added = isStored ? null : await AddAsync(cancellationToken).ConfigureAwait(false);
        if (isStored || _added is not null)
        {
            Volatile.Write(ref _addAt, long.MaxValue); // until the live fold has closed it too
        }
    }

    /// <summary>Adds up to the end of the window, or of the log as it is now, once that is durable: null then.</summary>
    private async Task<ClosedWindow?> AddAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _addAt, views.Increments + addedAtOnce);
        _aggregate.WantsSnapshot = IsSnapshotDue();
        await foreach (LogSlice slice in log.ReadAsync(fold.Position + 1, follow: false, cancellationToken).ConfigureAwait(false))
        {
            using (slice)
            {
                foreach (LoggedRecord record in slice)
                {
                    fold.Apply(record, _aggregate);
                    if (_aggregate.Take() is { } window)
                    {
                        _snapshotAt = window.Snapshot is null ? _snapshotAt : time.GetUtcNow();
                        return window;
                    }
                }
            }
        }

        return null;
    }

    private async Task StoreAsync(Checkpoint checkpoint, CancellationToken cancellationToken) =>
        await UntilDoneAsync(async token =>
        {
            await _storeTimes.MeasureAsync(checkpoint.Deltas.Count, again => store.StoreAsync(checkpoint, again), token).ConfigureAwait(false);
            return true;
        }, checkpoint.From, checkpoint.To, cancellationToken).ConfigureAwait(false);

    private async Task<T> UntilDoneAsync<T>(Func<CancellationToken, ValueTask<T>> call, long from, long to, CancellationToken cancellationToken)
    {
        TimeSpan pause = TimeSpan.FromMilliseconds(100);
        while (true)
        {
            try
            {
                T done = await call(cancellationToken).ConfigureAwait(false);
                Error = null;
                return done;
            }
            catch (CheckpointStoreException e)
            {
                Error = e.Message;
                LogStoreFailed(logger, from, to, pause.TotalSeconds, e);
                await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The snapshot of position {Position} did not fit on the disk; the log stays longer, and one of the next windows tries again")]
    private static partial void LogSnapshotFailed(ILogger logger, long position, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Checkpoint of positions {From} to {To} failed; live values stay right, next try in {Seconds} s")]
    private static partial void LogStoreFailed(ILogger logger, long from, long to, double seconds, Exception exception);
}
