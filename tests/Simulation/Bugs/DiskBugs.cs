using System.Buffers.Binary;
using Sketch.Engine.Log;

namespace Sketch.Tests.Simulation.Bugs;

/// <summary>Mistakes made between the log and its disk.</summary>
internal abstract class DiskBug : Bug
{
    public override ILogDisk Wrap(ILogDisk disk) => new Disk(disk, this);

    protected virtual void Sync(ILogFile file) => file.Sync();

    protected virtual void Write(ILogFile file, ReadOnlySpan<byte> bytes, long offset) => file.Write(bytes, offset);

    protected virtual void SetLength(ILogFile file, long length) => file.SetLength(length);

    protected virtual int Read(ILogFile file, Span<byte> into, long offset) => file.Read(into, offset);

    private sealed class Disk(ILogDisk disk, DiskBug bug) : ILogDisk
    {
        public void CreateFolder(string folder) => disk.CreateFolder(folder);

        public IReadOnlyList<string> List(string folder) => disk.List(folder);

        public ILogFile Create(string path) => Wrap(disk.Create(path), path);

        public ILogFile Open(string path) => Wrap(disk.Open(path), path);

        public void Rename(string from, string to) => disk.Rename(from, to);

        public void Delete(string path) => disk.Delete(path);

        public void SyncFolder(string folder) => disk.SyncFolder(folder);

        private ILogFile Wrap(ILogFile file, string path) => path.EndsWith(".seg", StringComparison.Ordinal) ? new File(file, bug) : file;
    }

    private sealed class File(ILogFile file, DiskBug bug) : ILogFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> into, long offset) => bug.Read(file, into, offset);

        public void Write(ReadOnlySpan<byte> bytes, long offset) => bug.Write(file, bytes, offset);

        public bool Preallocate(long offset, long bytes) => file.Preallocate(offset, bytes);

        public void SetLength(long length) => bug.SetLength(file, length);

        public void Sync() => bug.Sync(file);

        public void DropCache(long end) => file.DropCache(end);

        public void Dispose() => file.Dispose();
    }
}

/// <summary>Acknowledges what was only written.</summary>
internal sealed class AcknowledgesBeforeSync : DiskBug
{
    protected override void Sync(ILogFile file)
    {
    }
}

/// <summary>Goes on after an error, as if nothing had been.</summary>
internal sealed class IgnoresErrors : DiskBug
{
    protected override void Sync(ILogFile file)
    {
        try
        {
            file.Sync();
        }
        catch (LogDiskException)
        {
        }
    }

    protected override void Write(ILogFile file, ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            file.Write(bytes, offset);
        }
        catch (LogDiskException)
        {
        }
    }
}

/// <summary>Tries a failed sync again, which then reports success.</summary>
internal sealed class RetriesSync : DiskBug
{
    protected override void Sync(ILogFile file)
    {
        try
        {
            file.Sync();
        }
        catch (LogDiskException)
        {
            file.Sync();
        }
    }
}

/// <summary>Leaves a torn end in the file.</summary>
internal sealed class KeepsTornEnd : DiskBug
{
    protected override void SetLength(ILogFile file, long length)
    {
    }
}

/// <summary>Takes a record for good whatever its checksum says.</summary>
internal sealed class IgnoresChecksums : DiskBug
{
    protected override int Read(ILogFile file, Span<byte> into, long offset)
    {
        int read = file.Read(into, offset);
        Span<byte> rest = into[..read];
        while (offset >= 64 && rest.Length >= RecordFrame.HeaderBytes)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(rest[4..]);
            if ((uint)length > RecordFrame.MaxPayloadBytes || RecordFrame.Size(length) > rest.Length || rest[57] != RecordFrame.Version)
            {
                break;
            }

            int size = RecordFrame.Size(length);
            BinaryPrimitives.WriteUInt32LittleEndian(rest, Crc32C.Compute(rest[4..size]));
            rest = rest[size..];
        }

        return read;
    }
}
