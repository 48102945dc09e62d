using System.Threading.Tasks.Sources;

namespace Sketch.Realtime.Broadcast;

/// <summary>
/// One subscriber's side: it asks for the next frame when it has sent the one before, and is left out of rounds until then. So there is never
/// a queue, and a slow receiver gets fewer, newer frames. Waiting takes no memory of its own: forty thousand waits a second would be what the collector works for.
/// </summary>
internal sealed class Subscription(int id, Selection selection, int phase = 0) : IValueTaskSource<CounterFrame>
{
    // The loop hands a frame over and goes on.
    private ManualResetValueTaskSourceCore<CounterFrame> _next = new() { RunContinuationsAsynchronously = true };
    private int _ready;
    private int _closed;

    public int Id => id;

    public Selection Selection => selection;

    /// <summary>Ticks by which its turns are moved: so that not all who ask for one frame a second are served at the same moment.</summary>
    public int Phase => phase % EveryTicks;

    /// <summary>Its interval in ticks.</summary>
    public int EveryTicks => selection.IntervalMs / RealtimeLimits.MinIntervalMs;

    /// <summary>What it watches; set and used by the broadcaster's loop alone.</summary>
    public SubscriptionView? View { get; set; }

    /// <summary>The tick at which it is due next; the loop's own.</summary>
    public long DueTick { get; set; }

    /// <summary>True once it left; the loop forgets it in its next round.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>True when the receiver waits for a frame.</summary>
    public bool IsReady => Volatile.Read(ref _ready) != 0;

    /// <summary>Completes with the next frame, or is cancelled when the subscription closes. One call at a time.</summary>
    public ValueTask<CounterFrame> NextAsync()
    {
        _next.Reset();
        ValueTask<CounterFrame> next = new(this, _next.Version);
        Interlocked.Exchange(ref _ready, 1);
        if (IsClosed)
            Fail(new OperationCanceledException());
        return next;
    }

    /// <summary>Hands the frame to the waiting receiver; the loop calls it only when <see cref="IsReady"/>.</summary>
    public void Deliver(CounterFrame frame)
    {
        if (Interlocked.Exchange(ref _ready, 0) != 0)
            _next.SetResult(frame);
    }

    public void Fail(Exception failure)
    {
        if (Interlocked.Exchange(ref _ready, 0) != 0)
            _next.SetException(failure);
    }

    /// <summary>True the first time; who waits is told.</summary>
    public bool Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
            return false;
        Fail(new OperationCanceledException());
        return true;
    }

    CounterFrame IValueTaskSource<CounterFrame>.GetResult(short token) => _next.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<CounterFrame>.GetStatus(short token) => _next.GetStatus(token);

    void IValueTaskSource<CounterFrame>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _next.OnCompleted(continuation, state, token, flags);
}
