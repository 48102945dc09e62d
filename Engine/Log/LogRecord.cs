namespace Sketch.Engine.Log;

/// <summary>What a log record says. A reader that meets a kind it does not know stops: skipping could lose increments.</summary>
public enum RecordKind : byte
{
    /// <summary>Position 1 of every log: its incarnation and number of partitions.</summary>
    Genesis = 1,

    /// <summary>A batch of increments.</summary>
    Increments = 2,

    /// <summary>A proposal to close the open window; it names the window, so that of two rivals only the first cuts.</summary>
    Marker = 3,

    /// <summary>A namespace or counter was created or changed.</summary>
    Definition = 4,

    /// <summary>A batch that has elements, alone or beside increments.</summary>
    Elements = 5,

    /// <summary>Counters were deleted, or set to zero.</summary>
    Removal = 6,

    /// <summary>Counters that a removal may delete unless they are incremented first.</summary>
    Expiring = 7,
}

/// <summary>A record to be appended; the log adds position, log time and checksum.</summary>
/// <param name="Kind">What the payload is.</param>
/// <param name="Producer">The idempotent sender, as the 128-bit hash of its name; zero when there is none.</param>
/// <param name="Sequence">The producer's number for this batch, from 1; zero when there is no producer.</param>
/// <param name="AppendId">Ties the record, once read back, to the waiting caller; unique within the process, zero for nobody.</param>
/// <param name="Payload">The bytes; they must stay unchanged until the append completes.</param>
public readonly record struct LogRecord(
    RecordKind Kind, UInt128 Producer, long Sequence, long AppendId, ReadOnlyMemory<byte> Payload);

/// <summary>A record as read back from a log, valid as long as the <see cref="LogSlice"/> it came from.</summary>
public readonly ref struct LoggedRecord
{
    /// <summary>The record's place in the log, dense from 1.</summary>
    public required long Position { get; init; }

    /// <summary>Milliseconds since 1970 (UTC) as the log saw them; never falls from one record to the next.</summary>
    public required long TimeMs { get; init; }

    /// <inheritdoc cref="LogRecord.Kind"/>
    public required RecordKind Kind { get; init; }

    /// <inheritdoc cref="LogRecord.Producer"/>
    public required UInt128 Producer { get; init; }

    /// <inheritdoc cref="LogRecord.Sequence"/>
    public required long Sequence { get; init; }

    /// <inheritdoc cref="LogRecord.AppendId"/>
    public required long AppendId { get; init; }

    /// <summary>The bytes that were appended; 8-byte aligned within the record.</summary>
    public required ReadOnlySpan<byte> Payload { get; init; }
}
