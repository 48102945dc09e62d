namespace Sketch.Storage.Embedded;

/// <summary>
/// Sees to it that one process at a time has a data folder open: the engine itself does not. The kernel lets go of the lock when its process dies.
/// </summary>
internal static class DataFolderLock
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Takes the lock; waits for a process that is about to end, as the one of a node that was just killed.</summary>
    /// <exception cref="IOException">Another process keeps it.</exception>
    public static async Task<FileStream> TakeAsync(string folder, TimeSpan patience, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, "lock");
        for (TimeSpan waited = TimeSpan.Zero; ; waited += Pause)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (waited < patience)
            {
                await Task.Delay(Pause, cancellationToken);
            }
            catch (IOException error)
            {
                throw new IOException($"The data folder {folder} is in use by another process: {error.Message}", error);
            }
        }
    }
}
