namespace Sketch.Engine.Log;

/// <summary>
/// The file system beneath the log, as far as the log needs it. Every call either did all that it says or throws <see cref="LogDiskException"/>;
/// a seam, so that tests put a disk beneath that fails, fills up and forgets what was not synced.
/// </summary>
public interface ILogDisk
{
    /// <summary>Creates a folder (and its parents) that only its owner may enter, unless it is there; synced into its parent.</summary>
    void CreateFolder(string folder);

    /// <summary>The names, without folder, of the files in a folder; in no order.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>Creates a file that was not there, readable and writable by its owner only.</summary>
    ILogFile Create(string path);

    /// <summary>Opens a file for reading and writing.</summary>
    ILogFile Open(string path);

    /// <summary>Renames a file within its folder. Durable after <see cref="SyncFolder"/>.</summary>
    void Rename(string from, string to);

    /// <summary>Removes a file; whoever has it open can go on reading it.</summary>
    void Delete(string path);

    /// <summary>Makes created, renamed and deleted names survive a loss of power.</summary>
    void SyncFolder(string folder);
}

/// <summary>An open file. Reads may run beside one write.</summary>
public interface ILogFile : IDisposable
{
    /// <summary>The bytes up to the end of the file.</summary>
    long Length { get; }

    /// <summary>Reads until the span is full or the file ends.</summary>
    /// <returns>The bytes read.</returns>
    int Read(Span<byte> into, long offset);

    /// <summary>Writes all bytes, into the operating system's cache.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Reserves space on the disk without changing the length, so that a write there cannot run out of it.</summary>
    /// <returns>False when the file system has no such thing.</returns>
    bool Preallocate(long offset, long bytes);

    /// <summary>Cuts or grows the file; what is reserved beyond is let go.</summary>
    void SetLength(long length);

    /// <summary>Makes all that was written survive a loss of power. An error must never be retried: the second call would report success.</summary>
    void Sync();

    /// <summary>Drops what is cached and clean, so that the next reads show what the device holds.</summary>
    /// <param name="end">Up to which offset; to the file's end when it lies there or beyond.</param>
    void DropCache(long end);
}
