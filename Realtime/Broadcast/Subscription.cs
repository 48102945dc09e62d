namespace Sketch.Realtime.Broadcast;

/// <summary>
/// One subscriber's side: it asks for the next frame when it has sent the one before, and is left out of rounds until then. So there is never
/// a queue, and a slow receiver gets fewer, newer frames.
/// </summary>
internal sealed class Subscription(int id, Selection selection, int phase = 0)
{
    private TaskCompletionSource<CounterFrame>? _ready;

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

    private int _closed;

    /// <summary>True when the receiver waits for a frame.</summary>
    public bool IsReady => Volatile.Read(ref _ready) is not null;

    /// <summary>Completes with the next frame. One call at a time.</summary>
    public Task<CounterFrame> NextAsync(CancellationToken cancellationToken)
    {
        var ready = new TaskCompletionSource<CounterFrame>(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _ready, ready);
        return ready.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Hands the frame to the waiting receiver; the loop calls it only when <see cref="IsReady"/>.</summary>
    public void Deliver(CounterFrame frame) => Interlocked.Exchange(ref _ready, null)?.TrySetResult(frame);

    public void Fail(Exception failure) => Interlocked.Exchange(ref _ready, null)?.TrySetException(failure);

    /// <summary>True the first time.</summary>
    public bool Close() => Interlocked.Exchange(ref _closed, 1) == 0;
}
