using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Sketch.Engine.Log;

/// <summary>
/// Written groups on their way to the follower, without a copy. Bounded: the writer waits when the follower lags, so that appends are refused
/// at the queue rather than memory filled here.
/// </summary>
internal sealed class HandOver : IValueTaskSource
{
    private const int MaxGroups = 64;
    private const long MaxBytes = 32 << 20;
    private readonly Lock _gate = new();
    private readonly Queue<(LogSlice Slice, int Bytes)> _groups = new();
    private ManualResetValueTaskSourceCore<bool> _arrival;
    private bool _followerWaits;
    private bool _isGuest;
    private Exception? _failure;
    private long _bytes;
    private bool _claimed;
    private bool _attached;
    private bool _unbounded;
    private bool _ended;
    private bool _writerWaits;

    /// <summary>Called when the writer found no room and there is some now.</summary>
    internal Action? Drained { get; set; }

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
        }

        WakeWriter();
    }

    /// <summary>Lays a group down for the follower, who is to be woken then; false when there is none, and the buffer stays the writer's. Never waits.</summary>
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
            return true;
        }
    }

    /// <summary>Whether another group may come. If not, the follower must catch up, or go, or the log end: <see cref="Drained"/> says when.</summary>
    internal bool HasRoom()
    {
        lock (_gate)
        {
            _writerWaits = IsFull;
            return !_writerWaits;
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
        }

        WakeFollower(here: false);
    }

    /// <summary>Wakes the follower if it waits. It may find nothing.</summary>
    /// <param name="here">It takes in one group on the caller's thread, and goes on elsewhere.</param>
    internal void WakeFollower(bool here)
    {
        lock (_gate)
        {
            if (!_followerWaits)
            {
                return;
            }

            _followerWaits = false;
            _isGuest = here;
            _arrival.RunContinuationsAsynchronously = !here;
        }

        _arrival.SetResult(true);
    }

    /// <summary>Lets the writer fill the hand-over beyond its bound: the log closes, and what is queued must still be written.</summary>
    internal void StopWaiting()
    {
        lock (_gate)
        {
            _unbounded = true;
        }

        WakeWriter();
    }

    /// <summary>The next group; null when the log ended. The one follower waits here, without allocating: it is woken for every group.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<LogSlice?> TakeAsync(CancellationToken cancellationToken)
    {
        if (_isGuest)
        {
            _isGuest = false;
            if (IsAnyHere())
            {
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }
        }

        using CancellationTokenRegistration cancelled =
            cancellationToken.UnsafeRegister(static self => ((HandOver)self!).WakeFollower(here: false), this);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryTake(out LogSlice? slice))
            {
                WakeWriter();
                return slice;
            }

            lock (_gate)
            {
                if (_groups.Count > 0)
                {
                    continue;
                }

                if (_ended)
                {
                    return _failure is null ? null : throw new IOException(_failure.Message, _failure);
                }

                // A token that is cancelled after the look at it above wakes what waits here already.
                _arrival.Reset();
                _followerWaits = !cancellationToken.IsCancellationRequested;
                if (!_followerWaits)
                {
                    continue;
                }
            }

            await new ValueTask(this, _arrival.Version).ConfigureAwait(false);
        }
    }

    private bool IsAnyHere()
    {
        lock (_gate)
        {
            return _groups.Count > 0;
        }
    }

    private bool TryTake(out LogSlice? slice)
    {
        lock (_gate)
        {
            bool taken = _groups.TryDequeue(out (LogSlice Slice, int Bytes) group);
            slice = group.Slice;
            _bytes -= group.Bytes;
            return taken;
        }
    }

    private void WakeWriter()
    {
        lock (_gate)
        {
            if (!_writerWaits || IsFull)
            {
                return;
            }

            _writerWaits = false;
        }

        Drained?.Invoke();
    }

    void IValueTaskSource.GetResult(short token) => _arrival.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _arrival.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _arrival.OnCompleted(continuation, state, token, flags);
}
