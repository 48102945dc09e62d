using System.Diagnostics;

namespace Sketch.Engine.Reads;

/// <summary>
/// Lets readers see the moment between two records, so that many counters are read as of one position: a batch that adds to a part and to its total is in
/// both or in neither. A reader looks, and looks again when a record came in between; one that has no luck asks the fold to pause between two records.
/// The fold pays two stores and a load a record, and gives readers at most half of its time.
/// </summary>
internal sealed class RecordCuts
{
    // Readers of thousands of counters take a millisecond or so. What they get is more, since on a busy machine they are interrupted: a limit below what they need
    // would have them try for ever.
    private static readonly long MaxPause = Stopwatch.Frequency / 20;

    private long _changes;
    private int _waiting;
    private long _runUntil;

    /// <summary>The fold begins with a record.</summary>
    public void Enter()
    {
        if (Volatile.Read(ref _waiting) != 0)
        {
            Pause();
        }

        Volatile.Write(ref _changes, _changes + 1);
        Volatile.WriteBarrier(); // what the record changes is not seen before
    }

    /// <summary>The fold is done with the record.</summary>
    public void Leave() => Volatile.Write(ref _changes, _changes + 1);

    /// <summary>The number of the moment between two records that it is now; waits for the end of the one that is being taken in.</summary>
    public long Now()
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

    /// <summary>True when it is still the same moment: what was read since then is a cut.</summary>
    public bool IsStill(long moment)
    {
        Volatile.ReadBarrier(); // what was read was read before
        return Volatile.Read(ref _changes) == moment;
    }

    /// <summary>Asks the fold to pause from its next record on, until <see cref="Resume"/>.</summary>
    public void AskToPause() => Interlocked.Increment(ref _waiting);

    /// <summary>Takes the request back.</summary>
    public void Resume() => Interlocked.Decrement(ref _waiting);

    private void Pause()
    {
        long from = Stopwatch.GetTimestamp();
        if (from < _runUntil)
        {
            return;
        }

        SpinWait wait = default;
        long now = from;
        while (Volatile.Read(ref _waiting) != 0 && now - from < MaxPause)
        {
            wait.SpinOnce(sleep1Threshold: -1);
            now = Stopwatch.GetTimestamp();
        }

        _runUntil = now + (now - from);
    }
}
