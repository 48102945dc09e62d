using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Sketch.Engine.Log;

/// <summary>Opens the folder: makes a new log, or finds the end of the one that is there.</summary>
internal sealed class LogRecovery(EmbeddedLogOptions options, SegmentFiles files, BufferPool buffers, TimeProvider time)
{
    private const int GenesisBytes = 16;

    internal LogIdentity Identity { get; private set; }

    internal List<Segment> Segments { get; } = [];

    /// <summary>What was cut off, if anything.</summary>
    internal LogCut? Cut { get; private set; }

    /// <exception cref="LogCorruptException">Durable records are damaged or missing.</exception>
    /// <exception cref="LogFormatException">The log is another's, or of a newer version.</exception>
    internal LogTail Open()
    {
        options.Disk.CreateFolder(options.Folder);
        List<(string Path, long First)> found = files.Find();
        if (found.Count == 0)
        {
            return Create();
        }

        foreach ((string path, long first) in found)
        {
            AddSegment(path, first);
        }

        for (int i = 1; i < Segments.Count; i++)
        {
            Segments[i - 1].Next = Segments[i].Header.First;
        }

        return FindEnd(Segments[^1]);
    }

    private LogTail Create()
    {
        ulong incarnation = options.NewIncarnation;
        while (incarnation == 0)
        {
            incarnation = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        }

        Identity = new LogIdentity(incarnation, options.LogNumber);
        byte[] payload = new byte[GenesisBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, incarnation);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(8), options.Partitions);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(12), options.LogNumber);
        byte[] genesis = new byte[RecordFrame.Size(GenesisBytes)];
        long timeMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        RecordFrame.Encode(genesis, new LogRecord(RecordKind.Genesis, 0, 0, 0, payload), position: 1, timeMs);

        SegmentHeader header = new(Identity, options.Partitions, First: 1, PreviousFirst: 0, TimeFloorMs: 0);
        (Segment segment, ILogFile file, long reserved, long leftOver) = files.Create(header, genesis, needed: 0);
        segment.Next = 2;
        Segments.Add(segment);
        return new LogTail(segment, file, reserved, leftOver, timeMs);
    }

    private void AddSegment(string path, long first)
    {
        using ILogFile file = options.Disk.Open(path);
        Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
        SegmentHeader header = SegmentHeader.Decode(bytes[..file.Read(bytes, 0)], path);
        if (header.First != first)
        {
            throw new LogCorruptException($"{path}: the header says that position {header.First} is the first, the name says {first}.");
        }

        if (Segments.Count == 0)
        {
            Identity = header.Identity;
            CheckIsOurs(header, path);
        }
        else
        {
            CheckFollows(Segments[^1].Header, header, path);
        }

        Segments.Add(new Segment(path, header, file.Length, header.First));
    }

    private void CheckIsOurs(in SegmentHeader header, string path)
    {
        if (header.Identity.Number != options.LogNumber)
        {
            throw new LogFormatException($"{path} belongs to log {header.Identity.Number}; this is log {options.LogNumber}.");
        }

        if (header.Partitions != options.Partitions)
        {
            throw new LogFormatException(
                $"{path} was made for {header.Partitions} partitions, the configuration says {options.Partitions}; the number is set once.");
        }
    }

    private static void CheckFollows(in SegmentHeader before, in SegmentHeader header, string path)
    {
        if (header.Identity != before.Identity || header.Partitions != before.Partitions)
        {
            throw new LogFormatException(
                $"{path} is of incarnation {header.Identity.Incarnation:x16}, the segment before it of {before.Identity.Incarnation:x16}: " +
                "files of two logs are mixed in this folder.");
        }

        if (header.PreviousFirst != before.First)
        {
            throw new LogCorruptException(
                $"{path} follows a segment that begins at position {header.PreviousFirst}, but the one found before it begins at {before.First}: " +
                "a segment is missing.");
        }
    }

    private LogTail FindEnd(Segment last)
    {
        ILogFile file = options.Disk.Open(last.Path);
        try
        {
            // After a failed sync the cache may show what the device does not hold.
            file.DropCache(long.MaxValue);
            long length = file.Length;
            long timeMs = last.Header.TimeFloorMs;
            SegmentCursor cursor = new(file, last.Path, last.Header.First, SegmentHeader.Bytes);
            FrameFault fault = FrameFault.None;
            while (cursor.Offset < length && fault == FrameFault.None)
            {
                last.Index(cursor.Position, cursor.Offset);
                FrameRun run = cursor.Read(buffers, length, out byte[] buffer);
                if (run.Count > 0)
                {
                    timeMs = run.LastTimeMs;
                }
                else
                {
                    fault = run.Fault;
                }

                buffers.Returned(buffer);
            }

            if (fault != FrameFault.None)
            {
                CutTornEnd(file, cursor, fault, last, length);
            }

            if (cursor.Position == 1)
            {
                throw new LogCorruptException($"{last.Path} ends before the log's first record, which was durable before the file had its name.");
            }

            // Also what lies beyond the file's end: when its length was lost, later records may lie there whole, and would come back once the file grows up to them.
            file.SetLength(cursor.Offset);

            // What is read from now on must stay, also what a process that died had written but not synced.
            file.Sync();
            files.SyncFolder();
            last.End = cursor.Offset;
            last.Next = cursor.Position;
            return new LogTail(last, file, Reserved: cursor.Offset, LeftOver: 0, timeMs);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether what stopped the walk may stand behind the last record: a torn group, zeros, or what the file held before it became this segment.</summary>
    internal static bool MayBeEnd(ILogFile file, long offset, FrameFault fault, in SegmentHeader segment)
    {
        if (fault is FrameFault.Damaged or FrameFault.Incomplete or FrameFault.EndMark)
        {
            return true;
        }

        Span<byte> header = stackalloc byte[RecordFrame.HeaderBytes];
        return fault == FrameFault.WrongPosition && file.Read(header, offset) == header.Length && FrameRun.PositionOf(header) < segment.First;
    }

    private void CutTornEnd(ILogFile file, SegmentCursor cursor, FrameFault fault, Segment last, long length)
    {
        if (!MayBeEnd(file, cursor.Offset, fault, last.Header) || cursor.Position == 1)
        {
            throw cursor.Explain(fault);
        }

        byte[] buffer = buffers.Rent((int)Math.Min(BufferPool.LargestBytes, length - cursor.Offset));
        long later = TornEnd.FindLater(file, cursor.Offset, cursor.Position, length, buffer, out bool any);
        buffers.Returned(buffer);
        if (later != 0)
        {
            throw new LogCorruptException(
                $"{last.Path}, offset {cursor.Offset}: the record at position {cursor.Position} is damaged, although it was durable: position {later} " +
                "was written after it and is good. Restore the file, or the log from a backup.");
        }

        if (fault == FrameFault.EndMark && !any)
        {
            // Where the writer had stopped: nothing is lost.
            return;
        }

        Cut = new LogCut(last.Path, cursor.Offset, length - cursor.Offset, cursor.Position);
    }
}
