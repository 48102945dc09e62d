using System.Buffers.Binary;

namespace Sketch.Engine.Log;

/// <summary>
/// Reads a log's folder from its first byte to its last and says what is in it and where it is damaged. Only reads: it can be used beside a running node, whose
/// newest group it may then see half written, as an unfinished end.
/// </summary>
public sealed class LogInspector
{
    private readonly ILogDisk _disk;
    private readonly string _folder;
    private readonly BufferPool _buffers = new();
    private readonly List<SegmentInspection> _segments = [];
    private readonly SortedDictionary<RecordKind, (long Records, long Bytes)> _kinds = [];
    private SegmentHeader? _before;
    private long _next;
    private long _unfinished;
    private LogDamage? _damage;

    private LogInspector(string folder, ILogDisk disk)
    {
        _folder = folder;
        _disk = disk;
    }

    /// <summary>Reads the log.</summary>
    /// <param name="folder">The folder of its segments.</param>
    /// <param name="disk">The disk it is on.</param>
    /// <param name="progress">Told after each segment how many of how many are read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when the folder holds no segment.</returns>
    /// <exception cref="LogDiskException">The disk refused.</exception>
    /// <exception cref="LogFormatException">A newer version wrote it.</exception>
    public static LogInspection? Inspect(string folder, ILogDisk disk, Action<int, int>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(disk);
        return new LogInspector(folder, disk).Run(progress, cancellationToken);
    }

    private LogInspection? Run(Action<int, int>? progress, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> names = _disk.List(_folder);
        string[] segments = [.. names.Where(name => name.EndsWith(Segment.Extension, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        for (int i = 0; i < segments.Length && _damage is null; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadUnlessLetGo(segments[i], isLast: i == segments.Length - 1);
            progress?.Invoke(i + 1, segments.Length);
        }

        return _before is not { } header ? null : new LogInspection(
            header.Identity,
            header.Partitions,
            _segments,
            [.. _kinds.Select(kind => new KindInspection(kind.Key, kind.Value.Records, kind.Value.Bytes))],
            names.Count(name => name.EndsWith(Segment.SpareExtension, StringComparison.Ordinal)),
            _unfinished,
            _damage);
    }

    // A running node may let the oldest segments go, and write over them, while they are read.
    private void ReadUnlessLetGo(string name, bool isLast)
    {
        try
        {
            Read(name, isLast);
        }
        catch (LogDiskException gone) when (gone.Fault == DiskFault.NotFound)
        {
            Forget();
        }
        catch (LogCorruptException damaged)
        {
            _damage = new LogDamage(name, 0, _next, damaged.Message);
        }

        if (_damage is not null && !_disk.List(_folder).Contains(name))
        {
            Forget();
        }
    }

    private void Forget()
    {
        _damage = null;
        _before = null;
        _segments.Clear();
    }

    private void Read(string name, bool isLast)
    {
        string path = Path.Combine(_folder, name);
        ILogFile file = _disk.Open(path);
        Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
        SegmentHeader header = SegmentHeader.Decode(bytes[..file.Read(bytes, 0)], path);
        using SegmentCursor cursor = new(file, path, header.First, SegmentHeader.Bytes);
        if (Path.GetFileName(Segment.PathOf(_folder, header.First)) != name)
        {
            _damage = new LogDamage(name, 0, header.First, $"the header says that position {header.First} is the first");
        }
        else if (_before is { } before && (header.PreviousFirst != before.First || header.Identity != before.Identity || header.First != _next))
        {
            _damage = new LogDamage(name, 0, _next, "it does not follow the segment before it: one is missing, or of another log");
        }

        _before = header;
        long firstTimeMs = 0;
        long lastTimeMs = 0;
        long length = file.Length;
        FrameFault fault = FrameFault.None;
        while (_damage is null && fault == FrameFault.None && cursor.Offset < length)
        {
            FrameRun run = cursor.Read(_buffers, length, out byte[] buffer);
            Count(buffer.AsSpan(0, run.Bytes));
            if (run.Count > 0)
            {
                firstTimeMs = firstTimeMs == 0 ? BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(16)) : firstTimeMs;
                lastTimeMs = run.LastTimeMs;
            }

            fault = run.Count > 0 ? FrameFault.None : run.Fault;
            _buffers.Returned(buffer);
        }

        if (fault != FrameFault.None)
        {
            Judge(file, cursor, fault, header, length, isLast);
        }

        _next = cursor.Position;
        _segments.Add(new SegmentInspection(name, header.First, cursor.Position - header.First, cursor.Offset, firstTimeMs, lastTimeMs));
    }

    private void Judge(ILogFile file, SegmentCursor cursor, FrameFault fault, in SegmentHeader header, long length, bool isLast)
    {
        if (isLast && LogRecovery.MayBeEnd(file, cursor.Offset, fault, header) && cursor.Position > 1)
        {
            byte[] buffer = _buffers.Rent((int)Math.Min(BufferPool.LargestBytes, length - cursor.Offset));
            long later = TornEnd.FindLater(file, cursor.Offset, cursor.Position, length, buffer, out bool any);
            _buffers.Returned(buffer);
            if (later == 0)
            {
                _unfinished = fault == FrameFault.EndMark && !any ? 0 : length - cursor.Offset;
                return;
            }
        }

        _damage = new LogDamage(Path.GetFileName(Segment.PathOf(_folder, header.First)), cursor.Offset, cursor.Position, cursor.Explain(fault).Message);
    }

    private void Count(ReadOnlySpan<byte> frames)
    {
        while (!frames.IsEmpty)
        {
            LoggedRecord record = RecordFrame.Decode(frames, out int size);
            (long records, long bytes) = _kinds.GetValueOrDefault(record.Kind);
            _kinds[record.Kind] = (records + 1, bytes + size);
            frames = frames[size..];
        }
    }
}
