using Sketch.Engine.Work;

namespace Sketch.Engine.Log;

/// <summary>What is chosen for a log on this machine's disk.</summary>
public sealed record EmbeddedLogOptions
{
    /// <summary>The folder of the segments; made when it is not there. The caller sees to it that nobody else has it open.</summary>
    public required string Folder { get; init; }

    /// <summary>The size at which a segment file ends and the next begins, 4 KiB to 4 GiB.</summary>
    public long SegmentBytes { get; init; } = 256 << 20;

    /// <summary>
    /// Bytes of segments from which on appends answer <see cref="AppendStatus.Full"/> until some were let go; at least four segments. Markers still
    /// come in, since they are how a checkpoint moves on.
    /// </summary>
    public long MaxBytes { get; init; } = 64L << 30;

    /// <summary>Encoded bytes that may wait for the writer before appends answer <see cref="AppendStatus.Busy"/>; one record may always wait.</summary>
    public long MaxQueuedBytes { get; init; } = 64 << 20;

    /// <summary>Records that may wait for the writer before appends answer <see cref="AppendStatus.Busy"/>, 1 to 1,048,576.</summary>
    public int MaxQueuedRecords { get; init; } = 16_384;

    /// <summary>The deployment's number of partitions, set when the log is made and checked ever after, 1 to 65,536.</summary>
    public int Partitions { get; init; } = 64;

    /// <summary>This log's number in the deployment, from 0.</summary>
    public int LogNumber { get; init; }

    /// <summary>The incarnation that a new log gets; zero draws one. A log that exists keeps its own.</summary>
    public ulong NewIncarnation { get; init; }

    /// <summary>The disk beneath.</summary>
    public ILogDisk Disk { get; init; } = new LinuxDisk();

    /// <summary>Where the writer and the syncer run.</summary>
    public IWorkers Workers { get; init; } = ThreadWorkers.Instance;

    /// <exception cref="ArgumentOutOfRangeException">A value is not allowed.</exception>
    internal void Validate()
    {
        Check(SegmentBytes, 4 << 10, 4L << 30, nameof(SegmentBytes));
        Check(MaxBytes, 4 * SegmentBytes, long.MaxValue, nameof(MaxBytes));
        Check(MaxQueuedBytes, 1, long.MaxValue, nameof(MaxQueuedBytes));
        Check(MaxQueuedRecords, 1, 1 << 20, nameof(MaxQueuedRecords));
        Check(Partitions, 1, 1 << 16, nameof(Partitions));
        Check(LogNumber, 0, int.MaxValue, nameof(LogNumber));
    }

    private static void Check(long value, long least, long most, string name)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(name, $"{name} is {value}; allowed {least} to {most}.");
        }
    }
}
