using System.Globalization;

namespace Sketch.Engine.Log;

/// <summary>Makes and finds segment files in the folder.</summary>
internal sealed class SegmentFiles(ILogDisk disk, string folder, long segmentBytes)
{
    /// <summary>Reserved at a time: the first bytes need no whole segment's room, and the file system is not asked at each group.</summary>
    private const long ReserveBytes = 32 << 20;

    internal ILogDisk Disk => disk;

    internal string Folder => folder;

    internal long SegmentBytes => segmentBytes;

    /// <summary>Makes a segment durable before its name exists, so that a file by that name always has a whole header.</summary>
    /// <param name="header">Its header.</param>
    /// <param name="body">The records that it starts with.</param>
    /// <param name="needed">Bytes that must have room after the header; without it nothing is made and the fault is no space.</param>
    internal (Segment Segment, ILogFile File, long Reserved) Create(in SegmentHeader header, ReadOnlySpan<byte> body, long needed)
    {
        string path = Segment.PathOf(folder, header.First);
        string made = path + Segment.NewExtension;
        ILogFile file = disk.Create(made);
        try
        {
            long reserved = Reserve(file, 0, SegmentHeader.Bytes + body.Length + needed);
            Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
            header.Encode(bytes);
            file.Write(bytes, 0);
            file.Write(body, SegmentHeader.Bytes);
            file.Sync();
            disk.Rename(made, path);
            SyncFolder();
            return (new Segment(path, header, SegmentHeader.Bytes + body.Length, header.First), file, reserved);
        }
        catch (LogDiskException)
        {
            file.Dispose();
            Discard(made);
            throw;
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
        try
        {
            return file.Preallocate(from, bytes) ? from + bytes : long.MaxValue;
        }
        catch (LogDiskException full) when (full.Fault == DiskFault.NoSpace && bytes > needed)
        {
            return file.Preallocate(from, needed) ? from + needed : long.MaxValue;
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
