namespace Sketch.Engine.Log;

/// <summary>
/// The thread that syncs, so that the writer can go on: while a sync runs, the next groups are written, and share the next sync.
/// There is no timer. A sync that fails is the last one.
/// </summary>
internal sealed class LogSyncer
{
    /// <summary>The writer pauses when something is unsynced for so long, so that what was only written is soon durable, however slow the disk is.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(4);

    private readonly object _gate = new();
    private readonly TimeProvider _time;
    private readonly Action _onFailure;
    private readonly Thread _thread;
    private ILogFile _file;
    private AppendList _waiting;
    private Exception? _failure;
    private TaskCompletionSource? _progress;
    private long _written;
    private long _synced;
    private long _oldest;
    private long _oldestOfNext;
    private long _target;
    private bool _closing;
    private bool _ended;

    /// <summary>Starts the thread.</summary>
    /// <param name="file">The segment that is written to.</param>
    /// <param name="synced">The position up to which it is durable.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onFailure">Called once when a sync failed; wakes the writer, wherever it waits.</param>
    internal LogSyncer(ILogFile file, long synced, TimeProvider time, Action onFailure)
    {
        _file = file;
        _written = _synced = _target = synced;
        _time = time;
        _onFailure = onFailure;
        _thread = new Thread(Run) { IsBackground = true, Name = "log syncer" };
        _thread.Start();
    }

    /// <summary>The position up to which everything is durable.</summary>
    internal long Synced => Volatile.Read(ref _synced);

    /// <summary>A group was written: it is to be synced, and then these are to be answered.</summary>
    /// <exception cref="LogDiskException">A sync failed: nothing may be acknowledged.</exception>
    internal void Add(long next, AppendList waiting)
    {
        long now = _time.GetTimestamp();
        lock (_gate)
        {
            // First, so that a failure answers them with the others.
            _waiting.Add(waiting);
            ThrowIfFailed();
            if (_written == _synced)
            {
                _oldest = now;
            }

            if (_written == _target)
            {
                _oldestOfNext = now;
            }

            _written = next;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until nothing has been unsynced for too long.</summary>
    /// <exception cref="LogDiskException">A sync failed.</exception>
    internal void WaitUntilYoung()
    {
        lock (_gate)
        {
            while (_failure is null && _written != _synced && _time.GetElapsedTime(_oldest) >= Patience)
            {
                Monitor.Wait(_gate);
            }

            ThrowIfFailed();
        }
    }

    /// <summary>Waits until all that was written is durable.</summary>
    /// <exception cref="LogDiskException">A sync failed.</exception>
    internal void WaitUntilSynced()
    {
        lock (_gate)
        {
            while (_failure is null && _written != _synced)
            {
                Monitor.Wait(_gate);
            }

            ThrowIfFailed();
        }
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

            await progress.WaitAsync(cancellationToken);
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

    /// <summary>Ends the thread, after a sync of what is written unless one failed, and returns who is still waiting.</summary>
    internal AppendList Stop()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.PulseAll(_gate);
        }

        _thread.Join();
        return _waiting;
    }

    private void ThrowIfFailed()
    {
        if (_failure is not null)
        {
            throw new LogDiskException(_failure.Message, DiskFault.Broken);
        }
    }

    private void Run()
    {
        while (TryTake(out ILogFile file, out AppendList waiting))
        {
            try
            {
                file.Sync();
            }
#pragma warning disable CA1031 // Whatever went wrong, nothing may be acknowledged any more.
            catch (Exception error)
#pragma warning restore CA1031
            {
                Fail(error, waiting);
                break;
            }

            lock (_gate)
            {
                Volatile.Write(ref _synced, _target);
                _oldest = _oldestOfNext;
                Progress();
            }

            while (!waiting.IsEmpty)
            {
                waiting.Remove().Complete(AppendStatus.Appended);
            }
        }

        lock (_gate)
        {
            _ended = true;
            Progress();
        }
    }

    private void Progress()
    {
        Monitor.PulseAll(_gate);
        _progress?.TrySetResult();
        _progress = null;
    }

    private bool TryTake(out ILogFile file, out AppendList waiting)
    {
        lock (_gate)
        {
            while (_written == _synced && !_closing)
            {
                Monitor.Wait(_gate);
            }

            file = _file;
            waiting = _waiting;
            _waiting = default;
            _target = _written;
            return _written != _synced;
        }
    }

    private void Fail(Exception error, AppendList waiting)
    {
        lock (_gate)
        {
            _failure = error;
            waiting.Add(_waiting);
            _waiting = waiting;
            Monitor.PulseAll(_gate);
        }

        _onFailure();
    }
}
