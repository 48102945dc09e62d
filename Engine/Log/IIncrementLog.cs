namespace Sketch.Engine.Log;

/// <summary>Which log: the deployment that made it and its number there.</summary>
/// <param name="Incarnation">Random, drawn when the log was created: a log made anew starts at position 1 again and must not be mistaken for the old one.</param>
/// <param name="Number">The partition set that this log orders, from 0.</param>
public readonly record struct LogIdentity(ulong Incarnation, int Number);

/// <summary>The positions that can be read: from <paramref name="First"/> up to, not including, <paramref name="Next"/>.</summary>
public readonly record struct LogRange(long First, long Next);

/// <summary>What an append waits for.</summary>
public enum Durability
{
    /// <summary>Written: survives the death of the process. The fsync follows within the group commit.</summary>
    Written,

    /// <summary>Fsynced: survives the loss of power.</summary>
    Flushed,
}

/// <summary>How an append ended.</summary>
public enum AppendStatus
{
    /// <summary>It has a position, and what <see cref="Durability"/> asked for holds.</summary>
    Appended,

    /// <summary>The queue is full; nothing was written. Try again later.</summary>
    Busy,

    /// <summary>The disk is full; nothing was written. Reads go on.</summary>
    NoSpace,

    /// <summary>The log holds as many bytes as it may, because checkpoints do not let go of any; nothing was written. Reads go on.</summary>
    Full,

    /// <summary>The log stopped (shut down, or a write failed): whether it was written shows when the log is read again.</summary>
    Unknown,
}

/// <summary>The answer to an append.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Position">The record's place; zero unless appended.</param>
public readonly record struct Appended(AppendStatus Status, long Position);

/// <summary>The ordered records of one partition set: the truth, of which everything else is a view.</summary>
public interface IIncrementLog : IAsyncDisposable
{
    /// <summary>Which log this is.</summary>
    LogIdentity Identity { get; }

    /// <summary>What can be read now.</summary>
    LogRange Range { get; }

    /// <summary>Completes when the log can append no more because a write or fsync failed; carries that failure.</summary>
    Task Failed { get; }

    /// <summary>
    /// Appends one record. Order of calls from one caller that awaits each is kept. Never throws for a full queue or a failed disk: the status says so.
    /// A token that is cancelled before the record was queued cancels the append; later it has no effect. A batch may be written, and taken in by the log's follower, within the
    /// call: not to be made with a lock held that the follower needs.
    /// </summary>
    ValueTask<Appended> AppendAsync(LogRecord record, Durability durability, CancellationToken cancellationToken);

    /// <summary>
    /// Reads verified records in order. With <paramref name="follow"/>, goes on with what is appended (as soon as it is written) until cancelled;
    /// one follower at a time, and appending waits for a follower that lags too far. What is read without following may leave the system's cache: reading it again may be slower.
    /// </summary>
    /// <exception cref="LogTruncatedException">The position was cut off.</exception>
    /// <exception cref="LogCorruptException">A record is damaged; names file, offset and positions.</exception>
    IAsyncEnumerable<LogSlice> ReadAsync(long from, bool follow, CancellationToken cancellationToken);

    /// <summary>Lets go of what lies before a position; whole segments only, so that some of it may stay readable.</summary>
    ValueTask TruncateBeforeAsync(long position, CancellationToken cancellationToken);
}
