using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sketch.Engine.Log;

/// <summary>A file descriptor. Interrupted calls are made again, short ones continued; any other error is thrown.</summary>
internal sealed unsafe class LinuxFile : ILogFile
{
    private const int SeekEnd = 2;
    private readonly SafeFileHandle _handle;
    private readonly string _path;

    internal LinuxFile(SafeFileHandle handle, string path)
    {
        _handle = handle;
        _path = path;
    }

    /// <inheritdoc/>
    public long Length
    {
        get
        {
            long length = Libc.Seek(_handle, 0, SeekEnd);
            return length >= 0 ? length : throw Libc.Error("lseek", _path);
        }
    }

    /// <inheritdoc/>
    public int Read(Span<byte> into, long offset)
    {
        int done = 0;
        fixed (byte* start = into)
        {
            while (done < into.Length)
            {
                nint read = Libc.Read(_handle, start + done, into.Length - done, offset + done);
                if (read == 0)
                {
                    break;
                }

                done += (int)Checked(read, "pread");
            }
        }

        return done;
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        int done = 0;
        fixed (byte* start = bytes)
        {
            while (done < bytes.Length)
            {
                nint written = Libc.Write(_handle, start + done, bytes.Length - done, offset + done);
                if (written == 0)
                {
                    throw Libc.Error("pwrite", _path, Libc.InputOutput);
                }

                done += (int)Checked(written, "pwrite");
            }
        }
    }

    /// <inheritdoc/>
    public bool Preallocate(long offset, long bytes)
    {
        while (Libc.Allocate(_handle, Libc.KeepSize, offset, bytes) != 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case Libc.Interrupted:
                    continue;
                case Libc.NotSupported:
                    return false;
                default:
                    throw Libc.Error("fallocate", _path);
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void SetLength(long length)
    {
        while (Libc.SetLength(_handle, length) != 0)
        {
            Checked(-1, "ftruncate");
        }
    }

    /// <inheritdoc/>
    public void Sync()
    {
        while (Libc.SyncData(_handle) != 0)
        {
            Checked(-1, "fdatasync");
        }
    }

    /// <summary>Only advice: a file system that does not take it leaves the cache as it is.</summary>
    public void DropCache(long end) => _ = Libc.Advise(_handle, 0, end, Libc.DontNeed);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>The bytes done: none when a signal interrupted the call.</summary>
    private nint Checked(nint result, string call) => result >= 0 ? result
        : Marshal.GetLastPInvokeError() == Libc.Interrupted ? 0
        : throw Libc.Error(call, _path);
}
