using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>
/// A disk in memory that can fail, fill up, stand still, and lose its power: what was not synced survives then in part, sector by sector in any order.
/// </summary>
internal sealed class SimulatedDisk : ILogDisk
{
    private readonly Dictionary<string, Inode> _names = [];
    private readonly List<Action<Dictionary<string, Inode>>> _unsyncedNames = [];
    private Dictionary<string, Inode> _durableNames = [];
    private bool _holding;

    /// <summary>Guards everything.</summary>
    public object Gate { get; } = new();

    /// <summary>Bytes that can still be reserved or written.</summary>
    public long Free { get; set; } = long.MaxValue;

    /// <summary>Whether the file system can reserve space.</summary>
    public bool CanPreallocate { get; set; } = true;

    /// <summary>Asked before each call, with its name and path; what it returns is thrown.</summary>
    public Func<string, string, LogDiskException?>? Fault { get; set; }

    /// <summary>How often a file was synced.</summary>
    public int Syncs { get; set; }

    /// <summary>How many syncs of files are waiting because they are held.</summary>
    public int HeldSyncs { get; set; }

    /// <summary>What the cache was told to let go of: files, and up to where.</summary>
    public System.Collections.Concurrent.ConcurrentQueue<(string Path, long End)> Dropped { get; } = new();

    public static LogDiskException Broken(string call) => new($"{call} failed: Input/output error", DiskFault.Broken);

    /// <summary>Lets syncs of files stand still until released.</summary>
    public void HoldSyncs() => _holding = true;

    public void ReleaseSyncs()
    {
        lock (Gate)
        {
            _holding = false;
            Monitor.PulseAll(Gate);
        }
    }

    /// <summary>Under the gate.</summary>
    public void WaitForRelease()
    {
        HeldSyncs++;
        while (_holding)
        {
            Assert.True(Monitor.Wait(Gate, LogTesting.Deadline), "A sync was held for too long.");
        }

        HeldSyncs--;
    }

    public void Check(string call, string path)
    {
        if (Fault?.Invoke(call, path) is { } fault)
        {
            throw fault;
        }
    }

    public void CreateFolder(string folder)
    {
    }

    public IReadOnlyList<string> List(string folder)
    {
        lock (Gate)
        {
            return [.. _names.Keys.Where(path => Path.GetDirectoryName(path) == folder).Select(path => Path.GetFileName(path))];
        }
    }

    public ILogFile Create(string path)
    {
        lock (Gate)
        {
            Check("open", path);
            Assert.False(_names.ContainsKey(path), $"{path} exists");
            Inode inode = new();
            Change(names => names[path] = inode);
            return new SimulatedFile(this, inode, path);
        }
    }

    public ILogFile Open(string path)
    {
        lock (Gate)
        {
            Check("open", path);
            return _names.TryGetValue(path, out Inode? inode)
                ? new SimulatedFile(this, inode, path)
                : throw new LogDiskException($"open of {path} failed: No such file", DiskFault.NotFound);
        }
    }

    public void Rename(string from, string to)
    {
        lock (Gate)
        {
            Check("rename", from);
            Change(names =>
            {
                names[to] = names[from];
                names.Remove(from);
            });
        }
    }

    public void Delete(string path)
    {
        lock (Gate)
        {
            Check("unlink", path);
            if (!_names.TryGetValue(path, out Inode? inode))
            {
                throw new LogDiskException($"unlink of {path} failed: No such file", DiskFault.NotFound);
            }

            Free += inode.Reserved;
            Change(names => names.Remove(path));
        }
    }

    public void SyncFolder(string folder)
    {
        lock (Gate)
        {
            Check("fsync", folder);
            _unsyncedNames.Clear();
            _durableNames = new Dictionary<string, Inode>(_names);
        }
    }

    /// <summary>The bytes of a file, as the operating system shows them; changing them changes the file.</summary>
    public byte[] Read(string path) => _names[path].Content;

    public string[] Paths => [.. _names.Keys.Order(StringComparer.Ordinal)];

    public void Put(string path, byte[] content)
    {
        Inode inode = new() { Content = content, Durable = [.. content] };
        _names[path] = inode;
        _durableNames[path] = inode;
    }

    /// <summary>The disk as a start after a loss of power finds it.</summary>
    public SimulatedDisk LosePower(Random random)
    {
        lock (Gate)
        {
            Dictionary<string, Inode> names = new(_durableNames);
            foreach (Action<Dictionary<string, Inode>> change in _unsyncedNames.Take(random.Next(_unsyncedNames.Count + 1)))
            {
                change(names);
            }

            SimulatedDisk after = new() { CanPreallocate = CanPreallocate };
            foreach ((string path, Inode inode) in names)
            {
                after.Put(path, inode.Survive(random));
            }

            return after;
        }
    }

    /// <summary>The disk as it is when only the process died: what was not synced is there, and still not synced.</summary>
    public SimulatedDisk LoseProcess()
    {
        lock (Gate)
        {
            SimulatedDisk after = new() { CanPreallocate = CanPreallocate };
            foreach ((string path, Inode inode) in _names)
            {
                after._names[path] = after._durableNames[path] = new Inode { Content = [.. inode.Content], Durable = inode.Durable };
            }

            return after;
        }
    }

    private void Change(Action<Dictionary<string, Inode>> change)
    {
        change(_names);
        _unsyncedNames.Add(change);
    }
}
