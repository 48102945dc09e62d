namespace Sketch.Engine.Log;

/// <summary>Walks one segment file, a chunk of whole, verified records at a time.</summary>
internal sealed class SegmentCursor(ILogFile file, string path, long position, long offset) : IDisposable
{
    /// <summary>Large enough that a read costs little beside its checksum, small enough to stay in a processor's cache.</summary>
    internal const int ChunkBytes = 1 << 20;

    /// <summary>The next record.</summary>
    internal long Position { get; private set; } = position;

    /// <summary>Where it lies in the file.</summary>
    internal long Offset { get; private set; } = offset;

    /// <summary>Reads and verifies records up to a chunk, or one when it is larger, and steps over them.</summary>
    /// <param name="buffers">Where the buffer comes from.</param>
    /// <param name="end">Where the records end.</param>
    /// <param name="buffer">The records, from offset 0; the caller gives it back.</param>
    /// <returns>No records only with a fault, or at the end.</returns>
    internal FrameRun Read(BufferPool buffers, long end, out byte[] buffer)
    {
        int wanted = (int)Math.Min(ChunkBytes, end - Offset);
        buffer = buffers.Rent(wanted);
        FrameRun run = Read(buffer, wanted);
        if (run is { Count: 0, Fault: FrameFault.Incomplete } && run.Needed > wanted && Offset + run.Needed <= end)
        {
            buffers.Returned(buffer);
            buffer = buffers.Rent(run.Needed);
            run = Read(buffer, run.Needed);
        }

        Offset += run.Bytes;
        Position += run.Count;
        return run;
    }

    /// <summary>What the fault means, for a person.</summary>
    internal IOException Explain(FrameFault fault) => fault switch
    {
        FrameFault.UnknownVersion or FrameFault.UnknownKind => new LogFormatException(
            $"{path}, offset {Offset}: the record at position {Position} has a {(fault == FrameFault.UnknownKind ? "kind" : "version")} that this " +
            "program does not know; a newer one wrote it."),
        FrameFault.WrongPosition => new LogCorruptException(
            $"{path}, offset {Offset}: another record stands where position {Position} should be; positions before it are good."),
        FrameFault.EndMark => new LogCorruptException(
            $"{path}, offset {Offset}: zeros stand where the record at position {Position} should be; positions before it are good."),
        FrameFault.Damaged => new LogCorruptException(
            $"{path}, offset {Offset}: the record at position {Position} is damaged (length or checksum); positions before it are good."),
        _ => new LogCorruptException(
            $"{path}, offset {Offset}: the file ends before the record at position {Position} does; positions before it are good."),
    };

    /// <summary>Lets the system's cache forget the file up to an offset, as far as it is durable.</summary>
    internal void DropCache(long end)
    {
        if (end > 0)
        {
            file.DropCache(end);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    private FrameRun Read(byte[] buffer, int wanted)
    {
        int got = file.Read(buffer.AsSpan(0, wanted), Offset);
        FrameRun run = FrameRun.Walk(buffer.AsSpan(0, got), Position);
        return run is { Count: 0, Fault: FrameFault.None } && wanted > 0 ? run with { Fault = FrameFault.Incomplete } : run;
    }
}
