using System.Globalization;

namespace Sketch.Server.Hosting;

/// <summary>
/// The node's folder, locked for as long as this lives: two nodes on one log would destroy it. The lock is flock(2), so that it ends with
/// the process, however it dies.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private const string LockFile = "node.lock";

    // Beside the lock: .NET refuses to open a locked file even to read it.
    private const string ProcessFile = "node.pid";

    private readonly FileStream _lock;

    private DataFolder(string path, FileStream locked)
    {
        FullPath = path;
        _lock = locked;
    }

    /// <summary>The folder, absolute.</summary>
    public string FullPath { get; }

    /// <summary>Creates the folder if need be and locks it.</summary>
    /// <exception cref="SettingException">Another node has it, it holds files of something else, or it can't be written.</exception>
    public static DataFolder Open(string path)
    {
        string lockPath = Path.Combine(path, LockFile);
        try
        {
            Directory.CreateDirectory(path);
            if (!File.Exists(lockPath) && Directory.EnumerateFileSystemEntries(path).Any())
                throw new SettingException("--data", $"{path}, which holds files of something else", "a folder that is empty or was made by a node");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingException("--data", $"{path} ({failure.Message})", "a folder that can be created and written");
        }

        FileStream? file = null;
        try
        {
            file = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            File.WriteAllText(Path.Combine(path, ProcessFile), Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
            return new DataFolder(path, file);
        }
        catch (UnauthorizedAccessException failure)
        {
            file?.Dispose();
            throw new SettingException("--data", $"{path} ({failure.Message})", "a folder that can be written");
        }
        catch (IOException)
        {
            file?.Dispose();
            throw new SettingException("--data", $"{path}, in use by {Owner(path)}", "a folder that no other node uses", ExitCode.InUse);
        }
    }

    /// <summary>Whether a node has the folder now.</summary>
    public static bool IsInUse(string path)
    {
        try
        {
            using FileStream file = new(Path.Combine(path, LockFile), FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure is IOException;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private static string Owner(string path)
    {
        try
        {
            return $"process {int.Parse(File.ReadAllText(Path.Combine(path, ProcessFile)), CultureInfo.InvariantCulture)}";
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            return "another process";
        }
    }
}
