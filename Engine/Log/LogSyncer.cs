using Sketch.Engine.Work;

namespace Sketch.Engine.Log;

/// <summary>
/// The worker that syncs, so that the writer can go on: while a sync runs, the next groups are written, and share the next sync. What somebody waits for is synced at once;
/// what nobody waits for, together with what comes a little later, since each sync is work for the disk and for who shares its processors. A sync that fails is the last one.
/// </summary>
internal sealed class LogSyncer
{
    /// <summary>The writer pauses when something is unsynced for so long, so that what was only written is soon durable, however slow the disk is.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(4);

    /// <summary>What nobody waits for is synced once the oldest of it is so old.</summary>
    internal static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(2);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Action _wakeWriter;
    private readonly IWorker _worker;
    private ILogFile _file;
    private AppendList _waiting;
    private Exception? _failure;
    private TaskCompletionSource? _progress;
    private long _written;
    private long _synced;
    private long _oldest;
    private long _oldestOfNext;
    private long _target;
    private bool _writerWaits;

    // The worker takes a step soon by itself: who writes what nobody waits for need not wake it.
    private bool _looksAgain;
    private long _lastSync;
    private bool _closing;
    private bool _ended;

    /// <summary>Starts the worker.</summary>
    /// <param name="file">The segment that is written to.</param>
    /// <param name="synced">The position up to which it is durable.</param>
    /// <param name="time">The clock.</param>
    /// <param name="workers">Where it runs.</param>
    /// <param name="wakeWriter">Called when the writer waited for something that has come to be, when a sync failed, and at the end.</param>
    internal LogSyncer(ILogFile file, long synced, TimeProvider time, IWorkers workers, Action wakeWriter)
    {
        _file = file;
        _written = _synced = _target = synced;
        _time = time;
        _wakeWriter = wakeWriter;
        _worker = workers.Start("log syncer", Step);
    }

    /// <summary>The position up to which everything is durable.</summary>
    internal long Synced => Volatile.Read(ref _synced);

    /// <summary>Why the last sync failed; null while none did.</summary>
    internal Exception? Failure
    {
        get
        {
            lock (_gate)
            {
                return _failure;
            }
        }
    }

    // With the gate held: whether anybody waits for the next sync.
    private bool IsWanted => !_waiting.IsEmpty || _writerWaits || _progress is not null || _closing;

    /// <summary>A group was written: it is to be synced, and then these are to be answered.</summary>
    /// <exception cref="LogDiskException">A sync failed: nothing may be acknowledged.</exception>
    internal void Add(long next, AppendList waiting)
    {
        long now = _time.GetTimestamp();
        bool wake;
        lock (_gate)
        {
            // First, so that a failure answers them with the others.
            _waiting.Add(waiting);
            ThrowIfFailed();
            if (_written == _synced)
            {
                _oldest = now;
            }

            wake = !_looksAgain || IsWanted;

            if (_written == _target)
            {
                _oldestOfNext = now;
            }

            _written = next;
        }

        if (wake)
        {
            _worker.Wake();
        }
    }

    /// <summary>Whether nothing has been unsynced for too long. If not, the writer is woken after the next sync.</summary>
    /// <exception cref="LogDiskException">A sync failed.</exception>
    internal bool IsYoung()
    {
        bool waits;
        lock (_gate)
        {
            ThrowIfFailed();
            _writerWaits = waits = _written != _synced && _time.GetElapsedTime(_oldest) >= Patience;
        }

        if (waits)
        {
            _worker.Wake();
        }

        return !waits;
    }

    /// <summary>Whether all that was written is durable. If not, the writer is woken after the next sync.</summary>
    /// <exception cref="LogDiskException">A sync failed.</exception>
    internal bool IsSynced()
    {
        bool waits;
        lock (_gate)
        {
            ThrowIfFailed();
            _writerWaits = waits = _written != _synced;
        }

        if (waits)
        {
            _worker.Wake();
        }

        return !waits;
    }

    /// <summary>Waits until a position is durable.</summary>
    /// <returns>Up to where it is: less than that only when a sync failed or the log closed.</returns>
    internal async ValueTask<long> WhenSyncedAsync(long position, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task progress;
            lock (_gate)
            {
                if (_synced >= position || _ended)
                {
                    return _synced;
                }

                _progress ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                progress = _progress.Task;
            }

            _worker.Wake();
            await progress.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Goes on with the next segment; the one before is synced to its end.</summary>
    internal void Use(ILogFile file)
    {
        lock (_gate)
        {
            _file = file;
        }
    }

    /// <summary>Lets the worker end, after a sync of what is written unless one failed.</summary>
    internal void Stop()
    {
        lock (_gate)
        {
            _closing = true;
        }

        _worker.Wake();
    }

    /// <summary>Whether the worker is over, and then who is still waiting. Woken otherwise when it is.</summary>
    internal bool HasEnded(out AppendList waiting)
    {
        lock (_gate)
        {
            waiting = _ended ? _waiting : default;
            return _ended;
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is not null)
        {
            throw new LogDiskException(_failure.Message, DiskFault.Broken);
        }
    }

    private WorkStep Step()
    {
        if (!TryTake(out ILogFile file, out AppendList waiting, out bool closing))
        {
            return closing ? End() : WorkStep.Idle;
        }

        try
        {
            file.Sync();
        }
#pragma warning disable CA1031 // Whatever went wrong, nothing may be acknowledged any more.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Fail(error, waiting);
            return End();
        }

        bool wake;
        lock (_gate)
        {
            Volatile.Write(ref _synced, _target);
            _lastSync = _time.GetTimestamp();
            _oldest = _oldestOfNext;
            wake = _writerWaits;
            _writerWaits = false;
            Progress();
        }

        if (wake)
        {
            _wakeWriter();
        }

        waiting.Complete(AppendStatus.Appended);

        return WorkStep.More;
    }

    private bool TryTake(out ILogFile file, out AppendList waiting, out bool closing)
    {
        lock (_gate)
        {
            file = _file;
            waiting = default;
            closing = _closing;
            if (_written != _synced && (IsWanted || _time.GetElapsedTime(_oldest) >= Gathering))
            {
                waiting = _waiting;
                _waiting = default;
                _target = _written;
                _looksAgain = true;
                return true;
            }

            // Also for a while after a sync: while writing goes on, none of it has to wake this.
            TimeSpan left = Gathering - _time.GetElapsedTime(_written == _synced ? _lastSync : _oldest);
            _looksAgain = left > TimeSpan.Zero;
            if (_looksAgain)
            {
                _worker.WakeAfter(left);
            }

            return false;
        }
    }

    private void Progress()
    {
        _progress?.TrySetResult();
        _progress = null;
    }

    private void Fail(Exception error, AppendList waiting)
    {
        lock (_gate)
        {
            _failure = error;
            waiting.Add(_waiting);
            _waiting = waiting;
        }
    }

    private WorkStep End()
    {
        lock (_gate)
        {
            _ended = true;
            Progress();
        }

        _wakeWriter();
        return WorkStep.Ended;
    }
}
