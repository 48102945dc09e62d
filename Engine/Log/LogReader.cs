namespace Sketch.Engine.Log;

/// <summary>Reads slices from the segments, across their borders. Opens the files itself, so that truncation may delete them meanwhile.</summary>
/// <param name="disk">Where the files are.</param>
/// <param name="chain">The segments.</param>
/// <param name="buffers">Where the slices' memory comes from.</param>
/// <param name="from">The first position.</param>
/// <param name="dropsCache">Whether the system's cache lets go of what was read: hardly anybody reads it again, and its memory serves what is written next.</param>
internal sealed class LogReader(ILogDisk disk, SegmentChain chain, BufferPool buffers, long from, bool dropsCache = false) : IDisposable
{
    private Segment? _segment;
    private SegmentCursor? _cursor;

    /// <summary>The position that the next slice begins with.</summary>
    internal long Position { get; private set; } = from;

    /// <summary>The next records that can be read now and lie before a position; null when there are none.</summary>
    internal LogSlice? Next(long until)
    {
        while (Position < Math.Min(until, chain.Range.Next))
        {
            if (_segment is null || _cursor is null)
            {
                Open();
                continue;
            }

            (long end, long next) = chain.EndOf(_segment);
            if (_cursor.Position < next)
            {
                if (Read(_segment, _cursor, end, until) is { } slice)
                {
                    return slice;
                }
            }
            else if (_cursor.Offset != end)
            {
                throw _cursor.Explain(FrameFault.WrongPosition);
            }
            else
            {
                if (dropsCache)
                {
                    _cursor.DropCache(end);
                }

                Close();
            }
        }

        return null;
    }

    /// <summary>Closes the segment that it reads.</summary>
    public void Dispose() => Close();

    private void Open()
    {
        (Segment segment, long position, long offset) = chain.Enter(Position);
        _segment = segment;
        try
        {
            ILogFile file = disk.Open(segment.Path);
            _cursor = new SegmentCursor(file, segment.Path, position, offset);
        }
        catch (LogDiskException missing) when (missing.Fault == DiskFault.NotFound)
        {
            // Truncated between the look-up and here; else it is gone although it should be there.
            Close();
            _segment = chain.Enter(Position).Segment;
            throw new LogCorruptException($"{segment.Path} is missing; it holds positions from {segment.Header.First} on.");
        }
    }

    private void Close()
    {
        _cursor?.Dispose();
        _cursor = null;
        if (_segment is not null)
        {
            chain.Leave(_segment);
            _segment = null;
        }
    }

    private LogSlice? Read(Segment segment, SegmentCursor cursor, long end, long until)
    {
        (long first, long offset) = (cursor.Position, cursor.Offset);
        FrameRun run = cursor.Read(buffers, end, out byte[] buffer);
        if (run.Count == 0)
        {
            buffers.Returned(buffer);
            throw cursor.Explain(run.Fault);
        }

        chain.Index(segment, first, offset);
        if (dropsCache)
        {
            // The next read begins a little before where this one ends.
            cursor.DropCache(offset - SegmentCursor.ChunkBytes);
        }

        int skipped = (int)Math.Min(Position - first, run.Count);
        int count = (int)Math.Min(run.Count, until - first) - skipped;
        if (count <= 0)
        {
            buffers.Returned(buffer);
            return null;
        }

        int bytes = run.Bytes;
        if (skipped + count < run.Count || skipped > 0)
        {
            int start = BytesOf(buffer, skipped);
            bytes = BytesOf(buffer.AsSpan(start), count);
            buffer.AsSpan(start, bytes).CopyTo(buffer);
        }

        LogSlice slice = new(buffer, bytes, Position, count, buffers.Returned);
        Position += count;
        return slice;
    }

    private static int BytesOf(ReadOnlySpan<byte> frames, int count)
    {
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            RecordFrame.Decode(frames[at..], out int size);
            at += size;
        }

        return at;
    }
}
