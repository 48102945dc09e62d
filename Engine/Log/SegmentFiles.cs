using System.Globalization;

namespace Sketch.Engine.Log;

/// <summary>Makes and finds segment files in the folder.</summary>
internal sealed class SegmentFiles(ILogDisk disk, string folder, long segmentBytes)
{
    /// <summary>Reserved at a time: the first bytes need no whole segment's room, and the file system is not asked at each group.</summary>
    private const long ReserveBytes = 32 << 20;

    /// <summary>Writing over blocks that a file has costs the disk less than new ones: no sync has to record them.</summary>
    private const int MaxSpares = 2;

    private readonly Lock _gate = new();
    private readonly Queue<string> _spares = new();

    internal ILogDisk Disk => disk;

    internal string Folder => folder;

    internal long SegmentBytes => segmentBytes;

    /// <summary>Makes a segment durable before its name exists, so that a file by that name always has a whole header.</summary>
    /// <param name="header">Its header.</param>
    /// <param name="body">The records that it starts with.</param>
    /// <param name="needed">Bytes that must have room after the header; without it nothing is made and the fault is no space.</param>
    /// <returns>Up to where its space is reserved, and up to where bytes of earlier records lie in it.</returns>
    internal (Segment Segment, ILogFile File, long Reserved, long LeftOver) Create(in SegmentHeader header, ReadOnlySpan<byte> body, long needed)
    {
        string path = Segment.PathOf(folder, header.First);
        string made = path + Segment.NewExtension;
        ILogFile file = TakeSpare(made) ?? disk.Create(made);
        try
        {
            long end = SegmentHeader.Bytes + body.Length;
            long leftOver = file.Length;
            long reserved = leftOver >= end + needed ? leftOver : Reserve(file, 0, end + needed);
            Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
            header.Encode(bytes);
            file.Write(bytes, 0);
            file.Write(body, SegmentHeader.Bytes);
            if (leftOver > end)
            {
                bytes.Clear();
                file.Write(bytes[..(int)Math.Min(FrameRun.EndMarkBytes, leftOver - end)], end);
            }

            file.Sync();
            disk.Rename(made, path);
            SyncFolder();
            return (new Segment(path, header, end, header.First), file, reserved, leftOver);
        }
        catch (LogDiskException)
        {
            file.Dispose();
            Discard(made);
            throw;
        }
    }

    /// <summary>Lets segments go: some are kept to be written over, the others removed. Oldest first: should it end half way, what is left has no gap.</summary>
    internal void Retire(List<Segment> segments)
    {
        List<string> spares = [];
        foreach (Segment segment in segments)
        {
            // A reader's file must keep its content.
            if (segment.Readers == 0 && CountSpares() + spares.Count < MaxSpares)
            {
                string spare = segment.Path + Segment.SpareExtension;
                disk.Rename(segment.Path, spare);
                spares.Add(spare);
            }
            else
            {
                disk.Delete(segment.Path);
            }
        }

        if (segments.Count > 0)
        {
            // Before one is written over: its old name must not come back with other records in it.
            SyncFolder();
        }

        lock (_gate)
        {
            spares.ForEach(_spares.Enqueue);
        }
    }

    /// <summary>Makes the names durable. A failure is never one that passes, whatever its reason: the names may or may not be there.</summary>
    internal void SyncFolder()
    {
        try
        {
            disk.SyncFolder(folder);
        }
        catch (LogDiskException error)
        {
            throw new LogDiskException(error.Message, DiskFault.Broken);
        }
    }

    /// <summary>Makes sure that the bytes from a place on can be written; returns up to where they can.</summary>
    internal long Reserve(ILogFile file, long from, long needed)
    {
        long bytes = Math.Max(needed, Math.Min(ReserveBytes, segmentBytes - from));
        while (true)
        {
            try
            {
                return file.Preallocate(from, bytes) ? from + bytes : long.MaxValue;
            }
            catch (LogDiskException full) when (full.Fault == DiskFault.NoSpace && (bytes > needed || TryDropSpare()))
            {
                // The last bytes of a disk are used too, and those of files that only wait to be written over.
                bytes = needed;
            }
        }
    }

    /// <summary>The segments' names in order; those that were never finished are removed.</summary>
    internal List<(string Path, long First)> Find()
    {
        List<(string Path, long First)> found = [];
        foreach (string name in disk.List(folder))
        {
            string path = Path.Combine(folder, name);
            if (name.EndsWith(Segment.Extension + Segment.NewExtension, StringComparison.Ordinal))
            {
                disk.Delete(path);
            }
            else if (name.EndsWith(Segment.Extension + Segment.SpareExtension, StringComparison.Ordinal))
            {
                KeepOrDelete(path);
            }
            else if (name.EndsWith(Segment.Extension, StringComparison.Ordinal))
            {
                if (!long.TryParse(name.AsSpan(0, name.Length - Segment.Extension.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long first)
                    || path != Segment.PathOf(folder, first) || first < 1)
                {
                    throw new LogCorruptException($"{path} is not named like a segment: 16 hexadecimal digits of its first position and {Segment.Extension}.");
                }

                found.Add((path, first));
            }
        }

        found.Sort((left, right) => left.First.CompareTo(right.First));
        return found;
    }

    private int CountSpares()
    {
        lock (_gate)
        {
            return _spares.Count;
        }
    }

    /// <summary>A file to write over, under the name of the segment in the making; null when there is none.</summary>
    private ILogFile? TakeSpare(string made)
    {
        string? spare;
        lock (_gate)
        {
            if (!_spares.TryDequeue(out spare))
            {
                return null;
            }
        }

        disk.Rename(spare, made);
        return disk.Open(made);
    }

    private bool TryDropSpare()
    {
        string? spare;
        lock (_gate)
        {
            if (!_spares.TryDequeue(out spare))
            {
                return false;
            }
        }

        disk.Delete(spare);
        return true;
    }

    private void KeepOrDelete(string spare)
    {
        if (_spares.Count < MaxSpares)
        {
            _spares.Enqueue(spare);
        }
        else
        {
            disk.Delete(spare);
        }
    }

    private void Discard(string path)
    {
        try
        {
            disk.Delete(path);
        }
        catch (LogDiskException)
        {
            // The next start removes it.
        }
    }
}
