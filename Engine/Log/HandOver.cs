using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Sketch.Engine.Log;

/// <summary>
/// Written groups on their way to the follower, without a copy. Bounded: the writer waits when the follower lags, so that appends are refused
/// at the queue rather than memory filled here.
/// </summary>
internal sealed class HandOver : IValueTaskSource
{
    /// <summary>The most, in bytes, that is taken in on a caller's thread.</summary>
    internal const int MaxBytesHere = 4 << 10;

    private const int MaxGroups = 64;
    private const long MaxBytes = 32 << 20;
    private readonly Lock _gate = new();
    private readonly Queue<(LogSlice Slice, int Bytes)> _groups = new();
    private ManualResetValueTaskSourceCore<bool> _arrival;
    private bool _followerWaits;
    private Guest _guest;
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
    /// <param name="here">It takes in one small group on the caller's thread, and goes on elsewhere; the caller holds nothing that it may need.</param>
    internal void WakeFollower(bool here)
    {
        lock (_gate)
        {
            if (!_followerWaits)
            {
                return;
            }

            _followerWaits = false;
            _guest = here ? Guest.MayTakeOne : Guest.No;
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

    /// <summary>
    /// The next group; null when the log ended. The one follower waits here, without allocating, and goes on where it is woken: on a thread of the pool, or for one small
    /// group on that of the group's caller.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<LogSlice?> TakeAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration cancelled =
            cancellationToken.UnsafeRegister(static self => ((HandOver)self!).WakeFollower(here: false), this);
        while (true)
        {
            switch (Look(cancellationToken, out LogSlice? slice))
            {
                case Found.Group:
                    WakeWriter();
                    return slice;
                case Found.End:
                    return null;
                case Found.TooMuchHere:
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                    break;
                default:
                    await new ValueTask(this, _arrival.Version).ConfigureAwait(false);
                    break;
            }
        }
    }

    private Found Look(CancellationToken cancellationToken, out LogSlice? slice)
    {
        slice = null;
        lock (_gate)
        {
            bool isAny = _groups.TryPeek(out (LogSlice Slice, int Bytes) group);
            if (!isAny && !_ended && !cancellationToken.IsCancellationRequested)
            {
                // A token that is cancelled after this look wakes what waits here already.
                _guest = Guest.No;
                _arrival.Reset();
                _followerWaits = true;
                return Found.Nothing;
            }

            // A caller's thread is its own again after its group: not even how the following ends is for it to find out.
            bool isWelcome = isAny && _guest == Guest.MayTakeOne && group.Slice.Bytes.Length <= MaxBytesHere && !cancellationToken.IsCancellationRequested;
            if (_guest != Guest.No && !isWelcome)
            {
                _guest = Guest.No;
                return Found.TooMuchHere;
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (!isAny)
            {
                return _failure is null ? Found.End : throw new IOException(_failure.Message, _failure);
            }

            _guest = _guest == Guest.No ? Guest.No : Guest.HasTaken;
            _groups.Dequeue();
            _bytes -= group.Bytes;
            slice = group.Slice;
            return Found.Group;
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

    /// <summary>Whether the follower runs on the thread of a caller that woke it.</summary>
    private enum Guest
    {
        No,
        MayTakeOne,
        HasTaken,
    }

    private enum Found
    {
        Nothing,
        Group,
        End,
        TooMuchHere,
    }
}
