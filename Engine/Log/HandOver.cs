namespace Sketch.Engine.Log;

/// <summary>
/// Written groups on their way to the follower, without a copy. Bounded: the writer waits when the follower lags, so that appends are refused
/// at the queue rather than memory filled here.
/// </summary>
internal sealed class HandOver
{
    private const int MaxGroups = 64;
    private const long MaxBytes = 32 << 20;
    private readonly object _gate = new();
    private readonly Queue<(LogSlice Slice, int Bytes)> _groups = new();
    private TaskCompletionSource? _arrival;
    private Exception? _failure;
    private long _bytes;
    private bool _claimed;
    private bool _attached;
    private bool _unbounded;
    private bool _ended;

    private bool IsFull => _attached && !_unbounded && (_groups.Count >= MaxGroups || _bytes >= MaxBytes);

    /// <summary>Makes the caller the only follower.</summary>
    internal void Claim()
    {
        lock (_gate)
        {
            if (_claimed)
            {
                throw new InvalidOperationException("The log has a follower already; one at a time is allowed.");
            }

            _claimed = true;
        }
    }

    /// <summary>From now on groups are handed over; under the gate of the chain, by a follower that has read all that was published.</summary>
    internal void Attach()
    {
        lock (_gate)
        {
            _attached = true;
        }
    }

    /// <summary>The follower is gone; what it did not take goes back.</summary>
    internal void Release()
    {
        lock (_gate)
        {
            _claimed = false;
            _attached = false;
            while (_groups.TryDequeue(out (LogSlice Slice, int Bytes) group))
            {
                group.Slice.Dispose();
            }

            _bytes = 0;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Gives a group to the follower; false when there is none, and the buffer stays the writer's. Never waits.</summary>
    internal bool TryOffer(byte[] buffer, int bytes, long first, int count, Action<byte[]> release)
    {
        lock (_gate)
        {
            if (!_attached)
            {
                return false;
            }

            _groups.Enqueue((new LogSlice(buffer, bytes, first, count, release), buffer.Length));
            _bytes += buffer.Length;
            Wake();
            return true;
        }
    }

    /// <summary>Waits until the follower has caught up far enough, or is gone, or the log ends.</summary>
    internal void WaitForRoom()
    {
        lock (_gate)
        {
            while (IsFull)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>No more groups come: the follower ends after those that are here, with the failure if there is one.</summary>
    internal void End(Exception? failure)
    {
        lock (_gate)
        {
            _ended = true;
            _unbounded = true;
            _failure ??= failure;
            Wake();
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Lets the writer fill the hand-over beyond its bound: the log closes, and what is queued must still be written.</summary>
    internal void StopWaiting()
    {
        lock (_gate)
        {
            _unbounded = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The next group; null when the log ended.</summary>
    internal async ValueTask<LogSlice?> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task arrival;
            lock (_gate)
            {
                if (_groups.TryDequeue(out (LogSlice Slice, int Bytes) group))
                {
                    _bytes -= group.Bytes;
                    Monitor.PulseAll(_gate);
                    return group.Slice;
                }

                if (_ended)
                {
                    return _failure is null ? null : throw new IOException(_failure.Message, _failure);
                }

                _arrival ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrival = _arrival.Task;
            }

            await arrival.WaitAsync(cancellationToken);
        }
    }

    private void Wake()
    {
        _arrival?.TrySetResult();
        _arrival = null;
    }
}
