using System.Diagnostics;

namespace Sketch.Server.Commands.Load;

/// <summary>How far a load is; written by the connections, read by whoever shows it.</summary>
internal sealed class LoadProgress
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _bytes;
    private long _increments;
    private long _batches;
    private long _duplicates;
    private long _retries;
    private int _waiting;

    /// <summary>Bytes of input that are counted.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Increments that are counted.</summary>
    public long Increments => Volatile.Read(ref _increments);

    /// <summary>Batches that are counted.</summary>
    public long Batches => Volatile.Read(ref _batches);

    /// <summary>Of these, those that the node had counted before.</summary>
    public long Duplicates => Volatile.Read(ref _duplicates);

    /// <summary>Times that a batch was sent again.</summary>
    public long Retries => Volatile.Read(ref _retries);

    /// <summary>True while a connection waits for the node to answer again.</summary>
    public bool IsWaiting => Volatile.Read(ref _waiting) > 0;

    /// <summary>Since the start.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    /// <summary>Increments a second since the start.</summary>
    public double PerSecond => Increments / Math.Max(Elapsed.TotalSeconds, 1e-3);

    /// <summary>A batch was acknowledged.</summary>
    public void Counted(LoadBatch batch, bool duplicate)
    {
        Interlocked.Add(ref _bytes, batch.InputBytes);
        Interlocked.Add(ref _increments, batch.Count);
        Interlocked.Increment(ref _batches);
        if (duplicate)
            Interlocked.Increment(ref _duplicates);
    }

    /// <summary>A batch waits to be sent again.</summary>
    public void WaitBegins()
    {
        Interlocked.Increment(ref _retries);
        Interlocked.Increment(ref _waiting);
    }

    /// <summary>The wait is over.</summary>
    public void WaitEnds() => Interlocked.Decrement(ref _waiting);
}
