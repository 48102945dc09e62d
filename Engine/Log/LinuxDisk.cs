using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sketch.Engine.Log;

/// <summary>The real disk: each call is the system call of that name, with its error reported.</summary>
public sealed class LinuxDisk : ILogDisk
{
    private const int OwnerOnly = 0x180; // 0600
    private const int OwnerFolder = 0x1C0; // 0700

    /// <inheritdoc/>
    public void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (Path.GetDirectoryName(full) is { } parent)
        {
            CreateFolder(parent);
            if (Libc.MakeFolder(full, OwnerFolder) != 0)
            {
                throw Libc.Error("mkdir", full);
            }

            SyncFolder(parent);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path))];
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or (IOException and not LogDiskException))
        {
            throw new LogDiskException($"Listing {folder} failed: {refused.Message}", DiskFault.Broken);
        }
    }

    /// <inheritdoc/>
    public ILogFile Create(string path) => new LinuxFile(OpenHandle(path, Libc.ReadWrite | Libc.CreateNew), path);

    /// <inheritdoc/>
    public ILogFile Open(string path) => new LinuxFile(OpenHandle(path, Libc.ReadWrite), path);

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        if (Libc.Rename(from, to) != 0)
        {
            throw Libc.Error("rename", from);
        }
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (Libc.Unlink(path) != 0)
        {
            throw Libc.Error("unlink", path);
        }
    }

    /// <inheritdoc/>
    public void SyncFolder(string folder)
    {
        using SafeFileHandle handle = OpenHandle(folder, Libc.ReadOnly);
        while (Libc.Sync(handle) != 0)
        {
            if (Marshal.GetLastPInvokeError() != Libc.Interrupted)
            {
                throw Libc.Error("fsync", folder);
            }
        }
    }

    private static SafeFileHandle OpenHandle(string path, int flags)
    {
        int descriptor;
        while ((descriptor = Libc.Open(path, flags | Libc.CloseOnExec, OwnerOnly)) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Libc.Interrupted)
            {
                throw Libc.Error("open", path);
            }
        }

        return new SafeFileHandle(descriptor, ownsHandle: true);
    }
}
