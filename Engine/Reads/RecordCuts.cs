using System.Diagnostics;

namespace Sketch.Engine.Reads;

/// <summary>
/// Lets readers see the moment between two records, so that many counters are read as of one position: a batch that adds to a part and to its total is in
/// both or in neither. A reader looks by luck, or asks the fold to pause, waits until it surely does, and looks once. The fold pays three stores and a load a
/// record, never a fence, and gives readers at most half of its time.
/// </summary>
internal sealed class RecordCuts
{
    // Readers of thousands of counters take a millisecond or so. What they get is more, since on a busy machine they are interrupted: a limit below what they need
    // would have them try for ever.
    private static readonly long MaxPause = Stopwatch.Frequency / 20;

    // Odd while a record is taken in.
    private long _changes;
    private int _waiting;
    private long _runUntil;

    /// <summary>The fold begins with a record.</summary>
    public void Enter()
    {
        // Said before the look at who waits: a reader's barrier falls either after both, and it sees the record, or between, and the fold sees the reader.
        Volatile.Write(ref _changes, _changes + 1);
        if (Volatile.Read(ref _waiting) != 0)
        {
            Pause();
        }

        Volatile.WriteBarrier(); // what the record changes is not seen before
    }

    /// <summary>The fold is done with the record.</summary>
    public void Leave() => Volatile.Write(ref _changes, _changes + 1);

    /// <summary>What was seen between two records. Looks again only when a record came in: after a look by luck, or when one took longer than the fold waits.</summary>
    /// <param name="byLuck">Whether the first look does without a pause.</param>
    /// <param name="look">Reads; what it gives is of use only if no record came in meanwhile.</param>
    public T Look<T>(bool byLuck, Func<T> look)
    {
        if (byLuck && TryLook(Now(), look, out T seen))
        {
            return seen;
        }

        Interlocked.Increment(ref _waiting);
        try
        {
            while (!TryLook(Paused(), look, out seen))
            {
            }

            return seen;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private bool TryLook<T>(long moment, Func<T> look, out T seen)
    {
        seen = look();
        Volatile.ReadBarrier(); // what was read was read before
        return Now() == moment;
    }

    /// <summary>The number of the moment between two records that it is now; waits for the end of the one that is being taken in.</summary>
    private long Now()
    {
        SpinWait wait = default;
        while (true)
        {
            long changes = Volatile.Read(ref _changes);
            if ((changes & 1) == 0)
            {
                return changes;
            }

            wait.SpinOnce();
        }
    }

    /// <summary>The moment at which the fold stands, or from which it pauses when it comes to its next record.</summary>
    private long Paused()
    {
        while (true)
        {
            SpinWait wait = default;
            while (Stopwatch.GetTimestamp() < Volatile.Read(ref _runUntil))
            {
                wait.SpinOnce();
            }

            // The fence that the fold saves at every record.
            Interlocked.MemoryBarrierProcessWide();
            long moment = Now();
            if (Stopwatch.GetTimestamp() >= Volatile.Read(ref _runUntil))
            {
                return moment;
            }
        }
    }

    // The record has not begun: the number goes back while readers look, so that they find it unchanged.
    private void Pause()
    {
        long from = Stopwatch.GetTimestamp();
        if (from < _runUntil)
        {
            return;
        }

        long now;
        do
        {
            Volatile.Write(ref _changes, _changes - 1);
            now = UntilNobodyWaits(from + MaxPause);
            Volatile.Write(ref _changes, _changes + 1);
        }
        while (now < from + MaxPause && Volatile.Read(ref _waiting) != 0);

        Volatile.Write(ref _runUntil, now + (now - from));
    }

    private long UntilNobodyWaits(long deadline)
    {
        SpinWait wait = default;
        long now;
        do
        {
            wait.SpinOnce(sleep1Threshold: -1);
            now = Stopwatch.GetTimestamp();
        }
        while (now < deadline && Volatile.Read(ref _waiting) != 0);

        return now;
    }
}
