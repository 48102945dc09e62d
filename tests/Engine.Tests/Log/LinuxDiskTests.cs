using Microsoft.Win32.SafeHandles;
using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>The real disk reports what the operating system says.</summary>
public sealed class LinuxDiskTests : IDisposable
{
    private readonly LinuxDisk _disk = new();
    private readonly TempFolder _folder = new();

    public LinuxDiskTests() => _disk.CreateFolder(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_sync_that_the_system_refuses_is_reported()
    {
        // A device that cannot be synced answers EINVAL: .NET's own call says nothing of it, which is why ours exists.
        using (SafeFileHandle handle = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(handle);
        }

        using ILogFile file = _disk.Open("/dev/null");
        LogDiskException error = Assert.Throws<LogDiskException>(file.Sync);
        Assert.Contains("fdatasync of /dev/null failed", error.Message, StringComparison.Ordinal);
        Assert.Contains("errno 22", error.Message, StringComparison.Ordinal);
        Assert.Equal(DiskFault.Broken, error.Fault);
    }

    [Fact]
    public void A_sync_of_a_closed_file_is_reported()
    {
        ILogFile file = _disk.Create(Path.Combine(_folder, "a"));
        file.Dispose();
        Assert.ThrowsAny<Exception>(file.Sync);
    }

    [Fact]
    public void A_full_device_is_told_from_a_broken_one()
    {
        using ILogFile file = _disk.Open("/dev/full");
        Assert.Equal(DiskFault.NoSpace, Assert.Throws<LogDiskException>(() => file.Write([1, 2, 3], 0)).Fault);
    }

    [Fact]
    public void A_missing_file_and_a_missing_folder_are_named()
    {
        string path = Path.Combine(_folder, "missing");
        LogDiskException error = Assert.Throws<LogDiskException>(() => _disk.Open(path));
        Assert.Equal(DiskFault.NotFound, error.Fault);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Throws<LogDiskException>(() => _disk.SyncFolder(path));
        Assert.Throws<LogDiskException>(() => _disk.List(path));
        Assert.Throws<LogDiskException>(() => _disk.Delete(path));
        Assert.Throws<LogDiskException>(() => _disk.Rename(path, path + "2"));
    }

    [Fact]
    public void A_file_is_created_only_once()
    {
        string path = Path.Combine(_folder, "a");
        _disk.Create(path).Dispose();
        Assert.Throws<LogDiskException>(() => _disk.Create(path));
    }

    [Fact]
    public void Reserved_space_does_not_change_the_length()
    {
        using ILogFile file = _disk.Create(Path.Combine(_folder, "a"));
        file.Preallocate(0, 1 << 20);
        Assert.Equal(0, file.Length);
        file.Write([1, 2, 3], 5);
        Assert.Equal(8, file.Length);
        byte[] read = new byte[10];
        Assert.Equal(8, file.Read(read, 0));
        Assert.Equal([0, 0, 0, 0, 0, 1, 2, 3, 0, 0], read);
        file.SetLength(6);
        Assert.Equal(6, file.Length);
        file.Sync();
        file.DropCache(long.MaxValue);
        Assert.Equal(1, file.Read(read, 5));
        Assert.Equal(0, file.Read(read, 100));
        Assert.Throws<LogDiskException>(() => file.Read(read, -1));
    }
}
