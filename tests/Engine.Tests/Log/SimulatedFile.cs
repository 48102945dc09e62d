using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>What a name stands for: the content that the operating system shows, and what the device holds.</summary>
internal sealed class Inode
{
    private const int SectorBytes = 512;

    public byte[] Content { get; set; } = [];

    public byte[] Durable { get; set; } = [];

    public long Reserved { get; set; }

    /// <summary>What of it a loss of power leaves: any of the changed sectors, and a length in between.</summary>
    public byte[] Survive(Random random)
    {
        int shorter = Math.Min(Durable.Length, Content.Length);
        int longer = Math.Max(Durable.Length, Content.Length);
        byte[] left = new byte[random.Next(3) switch { 0 => Durable.Length, 1 => Content.Length, _ => random.Next(shorter, longer + 1) }];
        double share = random.NextDouble();
        for (int at = 0; at < left.Length; at += SectorBytes)
        {
            byte[] from = random.NextDouble() < share ? Content : Durable;
            int bytes = Math.Min(SectorBytes, Math.Min(left.Length, from.Length) - at);
            if (bytes > 0)
            {
                from.AsSpan(at, bytes).CopyTo(left.AsSpan(at));
            }
        }

        return left;
    }
}

/// <summary>A file of the <see cref="SimulatedDisk"/>.</summary>
internal sealed class SimulatedFile(SimulatedDisk disk, Inode inode, string path) : ILogFile
{
    public long Length
    {
        get
        {
            lock (disk.Gate)
            {
                return inode.Content.Length;
            }
        }
    }

    public int Read(Span<byte> into, long offset)
    {
        lock (disk.Gate)
        {
            disk.Check("pread", path);
            int bytes = (int)Math.Max(0, Math.Min(into.Length, inode.Content.Length - offset));
            inode.Content.AsSpan(bytes == 0 ? 0 : (int)offset, bytes).CopyTo(into);
            return bytes;
        }
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        lock (disk.Gate)
        {
            disk.Check("pwrite", path);
            int end = (int)offset + bytes.Length;
            long fits = Take(end - Math.Max(inode.Reserved, inode.Content.Length));
            if (end > inode.Content.Length)
            {
                byte[] grown = inode.Content;
                Array.Resize(ref grown, end);
                inode.Content = grown;
            }

            bytes.CopyTo(inode.Content.AsSpan((int)offset));
            if (fits < 0)
            {
                // As a real disk does: what fitted is there.
                inode.Content = inode.Content[..(end + (int)fits)];
                throw Full("pwrite");
            }
        }
    }

    public bool Preallocate(long offset, long bytes)
    {
        lock (disk.Gate)
        {
            disk.Check("fallocate", path);
            if (!disk.CanPreallocate)
            {
                return false;
            }

            long more = offset + bytes - inode.Reserved;
            if (more > disk.Free)
            {
                throw Full("fallocate");
            }

            Take(more);
            inode.Reserved = Math.Max(inode.Reserved, offset + bytes);
            return true;
        }
    }

    public void SetLength(long length)
    {
        lock (disk.Gate)
        {
            disk.Check("ftruncate", path);
            byte[] content = inode.Content;
            Array.Resize(ref content, (int)length);
            inode.Content = content;
            disk.Free += Math.Max(0, inode.Reserved - length);
            inode.Reserved = Math.Min(inode.Reserved, length);
        }
    }

    public void Sync()
    {
        lock (disk.Gate)
        {
            // What is written while the sync runs need not be in it.
            byte[] then = [.. inode.Content];
            disk.WaitForRelease();
            disk.Check("fdatasync", path);
            disk.Syncs++;
            inode.Durable = then;
        }
    }

    public void DropCache(long end) => disk.Dropped.Enqueue((path, end));

    public void Dispose()
    {
    }

    private long Take(long bytes)
    {
        long wanted = Math.Max(bytes, 0);
        long taken = Math.Min(wanted, disk.Free);
        disk.Free -= taken;
        return taken - wanted;
    }

    private static LogDiskException Full(string call) => new($"{call} failed: No space left on device", DiskFault.NoSpace);
}
