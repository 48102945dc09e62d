using System.Buffers.Binary;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;

namespace Sketch.Engine.Windows;

/// <summary>
/// Proposes, by a marker in the log, to close a window that has been open long enough or holds enough. It only proposes: the fold cuts where the first marker
/// for that window stands, so that rivals and replays cut alike.
/// </summary>
internal sealed class WindowMarker(IIncrementLog log, LiveViews views, Checkpointer checkpointer, TimeSpan open, TimeProvider time)
{
    // A sketch cell has 32 bits: half of that leaves room for what comes until the marker is read.
    private const ulong MaxSketchWeight = 1UL << 31;
    private const int MaxExactIds = 1_000_000;

    /// <summary>With so many items the window ends however many wait: its checkpoint holds each of them in memory, in every try.</summary>
    internal const int MaxItems = 1_000_000;

    // A window stays open for so many times what the store takes for one. A counter costs the store as much whether a window brings one increment of it or ten: windows that are
    // stored without a pause take from the increments what they need to become fewer.
    private const int TimesStored = 3;

    // But not for longer than so many times as long as windows are asked to: where ids hardly come again, longer windows save nothing.
    private const int MostTimesOpen = 6;

    // One closed window may wait for the store. When that is not enough, the open one grows: fewer and larger inserts, in which hot counters are summed up further, so that
    // the store catches up.
    private const int MaxWaiting = 1;

    // More windows than this never wait, whatever is in them: cells of the open one may saturate then, and answers say so.
    private const int MaxWaitingWhenFull = 16;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    /// <summary>Looks at the open window until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(Tick, time);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            LiveView view = views.View;
            if (IsDue(view))
            {
                await MarkAsync(view.Open.From, 0, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Proposes to close the window that begins here; without effect when it is closed already.</summary>
    public async ValueTask<Appended> MarkAsync(long windowFrom, long appendId, CancellationToken cancellationToken)
    {
        byte[] payload = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(payload, windowFrom);
        LogRecord record = new(RecordKind.Marker, UInt128.Zero, 0, appendId, payload);
        return await log.AppendAsync(record, Durability.Written, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>For how long a window stays open.</summary>
    /// <param name="asked">For how long windows are asked to.</param>
    /// <param name="storeTime">How long the store takes for one.</param>
    internal static TimeSpan LongEnough(TimeSpan asked, TimeSpan storeTime) =>
        TimeSpan.FromTicks(Math.Clamp(TimesStored * storeTime.Ticks, asked.Ticks, MostTimesOpen * asked.Ticks));

    private bool IsDue(LiveView view)
    {
        LiveWindow window = view.Open;
        if (window.FirstTimeMs == 0)
        {
            return false;
        }

        int waiting = view.Windows.Length - 1;
        if (window.Sketch?.TotalWeight >= MaxSketchWeight && waiting <= MaxWaitingWhenFull)
        {
            return true;
        }

        if (window.NewItems >= MaxItems)
        {
            return true;
        }

        bool isFull = window.Exact.Count >= MaxExactIds;
        bool isOld = time.GetUtcNow().ToUnixTimeMilliseconds() - window.FirstTimeMs >= LongEnough(open, checkpointer.StoreTime).TotalMilliseconds;
        return (isFull || isOld) && waiting <= MaxWaiting;
    }
}
