using Sketch.Engine.Log;

namespace Sketch.Server.Backups;

/// <summary>A folder of backups: what is there, and what goes.</summary>
internal static class BackupFolder
{
    /// <summary>A backup that is being made; what is left of one that broke off goes with the next.</summary>
    public const string PartialExtension = ".partial";

    /// <summary>The backups, oldest first.</summary>
    public static IReadOnlyList<BackupManifest> List(string folder) => !Directory.Exists(folder)
        ? []
        : [.. Directory.GetDirectories(folder).Where(d => !d.EndsWith(PartialExtension, StringComparison.Ordinal)).Select(BackupManifest.Read).OfType<BackupManifest>().OrderBy(m => m.Name, StringComparer.Ordinal)];

    /// <summary>Deletes all but the newest so many, and those that these need.</summary>
    /// <returns>The names of what went.</returns>
    public static IReadOnlyList<string> Prune(string folder, int keep)
    {
        IReadOnlyList<BackupManifest> all = List(folder);
        HashSet<string> kept = [.. all.TakeLast(keep).SelectMany(m => m.Base is null ? [m.Name] : new[] { m.Name, m.Base })];
        string[] gone = [.. all.Select(m => m.Name).Where(n => !kept.Contains(n))];
        foreach (string name in gone)
        {
            // First what makes it a backup: one that is gone in part is none.
            File.Delete(Path.Combine(folder, name, BackupManifest.FileName));
            Directory.Delete(Path.Combine(folder, name), recursive: true);
        }

        foreach (string broken in Directory.GetDirectories(folder, "*" + PartialExtension))
            Directory.Delete(broken, recursive: true);
        return gone;
    }

    /// <summary>Copies a folder with all that is in it.</summary>
    /// <param name="from">The folder.</param>
    /// <param name="into">Made when it is not there.</param>
    /// <param name="copied">Told the bytes of each file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static void Copy(string from, string into, Action<long> copied, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(into);
        foreach (FileInfo file in new DirectoryInfo(from).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string path = Path.Combine(into, Path.GetRelativePath(from, file.FullName));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            file.CopyTo(path);
            copied(file.Length);
        }
    }

    /// <summary>Copies the first bytes of a file.</summary>
    public static void CopyStart(string from, string into, long bytes)
    {
        using FileStream source = new(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 20);
        using FileStream target = new(into, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        byte[] buffer = new byte[1 << 20];
        for (long left = bytes; left > 0;)
        {
            int read = source.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (read == 0)
                throw new IOException($"{from} ends {left} bytes too early");
            target.Write(buffer, 0, read);
            left -= read;
        }
    }

    /// <summary>Makes everything in a folder survive a loss of power; how many files of how many bytes there are.</summary>
    /// <exception cref="LogDiskException">The disk refused: nothing in the folder can be relied on.</exception>
    public static (long Files, long Bytes) Sync(string folder)
    {
        LinuxDisk disk = new();
        (long files, long bytes) = (0, 0);
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            using ILogFile file = disk.Open(path);
            file.Sync();
            files++;
            bytes += file.Length;
        }

        foreach (string inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories).Append(folder))
            disk.SyncFolder(inner);
        return (files, bytes);
    }
}
