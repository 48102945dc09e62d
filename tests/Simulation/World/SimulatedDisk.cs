using Sketch.Engine.Log;

namespace Sketch.Tests.Simulation.World;

/// <summary>A process's way to a <see cref="Device"/>. Any call may fail, find the disk full, or be the one during which the process or the power goes.</summary>
internal sealed class SimulatedDisk(Device device, Random random) : ILogDisk
{
    private string? _failing;

    public Device Device => device;

    /// <summary>The process is gone: nothing it still tries has any effect.</summary>
    public bool Dead { get; set; }

    /// <summary>So many calls from now the process dies in the middle of one.</summary>
    public int? DieIn { get; set; }

    /// <summary>Called with the call and path during which it died or failed.</summary>
    public Action<string, string>? Died { get; init; }

    public Action<string, string>? Failed { get; init; }

    /// <summary>Called when a segment's bytes became durable.</summary>
    public Action? SegmentSynced { get; set; }

    /// <summary>The next call of that name fails with an input/output error.</summary>
    public void FailNext(string call) => _failing = call;

    public void StopFailing() => _failing = null;

    public void CreateFolder(string folder) => Enter("mkdir", folder);

    public IReadOnlyList<string> List(string folder)
    {
        Enter("readdir", folder);
        return [.. device.Names.Keys.Where(path => Path.GetDirectoryName(path) == folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
    }

    public ILogFile Create(string path)
    {
        Enter("open", path);
        if (device.Names.ContainsKey(path))
        {
            throw new LogDiskException($"open of {path} failed: File exists", DiskFault.Broken);
        }

        Inode inode = new();
        device.Change(names => names[path] = inode);
        return new SimulatedFile(this, inode, path);
    }

    public ILogFile Open(string path)
    {
        Enter("open", path);
        return new SimulatedFile(this, Find("open", path), path);
    }

    public void Rename(string from, string to)
    {
        Enter("rename", from);
        Inode inode = Find("rename", from);
        device.Change(names =>
        {
            names.Remove(from);
            names[to] = inode;
        });
    }

    public void Delete(string path)
    {
        Enter("unlink", path);
        device.Free += Find("unlink", path).Reserved;
        device.Change(names => names.Remove(path));
    }

    public void SyncFolder(string folder)
    {
        Enter("fsync", folder);
        device.SyncNames();
    }

    internal void Take(string call, Inode inode, long until)
    {
        long more = until - inode.Reserved;
        if (more > device.Free)
        {
            Failed?.Invoke("full", call);
            throw new LogDiskException($"{call} failed: No space left on device", DiskFault.NoSpace);
        }

        if (more > 0)
        {
            device.Free -= more;
            inode.Reserved = until;
        }
    }

    /// <summary>Begins a call: throws when the process is gone, dies now, or the call is to fail.</summary>
    internal void Enter(string call, string path)
    {
        if (Begin(call, path) is { } trouble)
        {
            throw trouble;
        }
    }

    /// <summary>Begins a call; what it returns is to be thrown, once the caller has done what such a call still did.</summary>
    internal LogDiskException? Begin(string call, string path)
    {
        if (!Dead && DieIn is { } left && (DieIn = left - 1) <= 0)
        {
            DieIn = null;
            Dead = true;
            Died?.Invoke(call, path);
            return new LogDiskException($"{call} of {path}: the process dies", DiskFault.Broken);
        }

        if (Dead)
        {
            return new LogDiskException($"{call} of {path}: the process is gone", DiskFault.Broken);
        }

        if (_failing == call)
        {
            _failing = null;
            Failed?.Invoke(call, path);
            return new LogDiskException($"{call} of {path} failed: Input/output error", DiskFault.Broken);
        }

        return null;
    }

    internal Random Random => random;

    private Inode Find(string call, string path) => device.Names.TryGetValue(path, out Inode? inode)
        ? inode
        : throw new LogDiskException($"{call} of {path} failed: No such file", DiskFault.NotFound);
}

/// <summary>An open file of a <see cref="SimulatedDisk"/>.</summary>
internal sealed class SimulatedFile(SimulatedDisk disk, Inode inode, string path) : ILogFile
{
    public long Length => inode.Length;

    public int Read(Span<byte> into, long offset)
    {
        disk.Enter("pread", path);
        if (offset >= inode.Length)
        {
            return 0;
        }

        ReadOnlySpan<byte> bytes = inode.Content[(int)offset..];
        bytes = bytes[..Math.Min(bytes.Length, into.Length)];
        bytes.CopyTo(into);
        return bytes.Length;
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        bool gone = disk.Dead;
        if (disk.Begin("pwrite", path) is { } trouble)
        {
            // Torn: some of it came through.
            inode.Write(gone ? [] : bytes[..disk.Random.Next(bytes.Length + 1)], (int)offset);
            throw trouble;
        }

        disk.Take("pwrite", inode, offset + bytes.Length);
        inode.Write(bytes, (int)offset);
    }

    public bool Preallocate(long offset, long bytes)
    {
        disk.Enter("fallocate", path);
        disk.Take("fallocate", inode, offset + bytes);
        return true;
    }

    public void SetLength(long length)
    {
        disk.Enter("ftruncate", path);
        disk.Device.Free += Math.Max(0, inode.Reserved - length);
        inode.Reserved = Math.Min(inode.Reserved, length);
        inode.SetLength((int)length);
    }

    public void Sync()
    {
        if (disk.Begin("fdatasync", path) is { } trouble)
        {
            if (!disk.Dead)
            {
                inode.FailToSync(disk.Random);
            }

            throw trouble;
        }

        inode.Sync();
        if (path.EndsWith(".seg", StringComparison.Ordinal))
        {
            disk.SegmentSynced?.Invoke();
        }
    }

    public void DropCache(long end)
    {
        if (!disk.Dead)
        {
            inode.DropCache();
        }
    }

    public void Dispose()
    {
    }
}
