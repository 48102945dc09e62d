using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sketch.Engine.Log;

/// <summary>
/// The calls that .NET 10 has no honest form of: its FileStream.Flush(true) and RandomAccess.FlushToDisk drop the error of fsync,
/// and it can open no folder to sync it. Values are those of Linux on x64 and arm64.
/// </summary>
internal static unsafe partial class Libc
{
    internal const int ReadOnly = 0;
    internal const int ReadWrite = 2;
    internal const int CreateNew = 0x40 | 0x80;
    internal const int CloseOnExec = 0x80000;
    internal const int KeepSize = 1;
    internal const int DontNeed = 4;

    internal const int NoEntry = 2;
    internal const int Interrupted = 4;
    internal const int InputOutput = 5;
    internal const int NoSpace = 28;
    internal const int NotSupported = 95;
    internal const int QuotaExceeded = 122;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    internal static partial nint Read(SafeFileHandle file, byte* into, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    internal static partial nint Write(SafeFileHandle file, byte* from, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    internal static partial int SyncData(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    internal static partial int Allocate(SafeFileHandle file, int mode, long offset, long bytes);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    internal static partial int SetLength(SafeFileHandle file, long length);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    internal static partial long Seek(SafeFileHandle file, long offset, int whence);

    /// <summary>Returns the error itself, not through errno.</summary>
    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    internal static partial int Advise(SafeFileHandle file, long offset, long bytes, int advice);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeFolder(string path, int mode);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unlink(string path);

    /// <summary>The last error as an exception that names call and file.</summary>
    internal static LogDiskException Error(string call, string path) => Error(call, path, Marshal.GetLastPInvokeError());

    internal static LogDiskException Error(string call, string path, int errno) =>
        new($"{call} of {path} failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}).", errno switch
        {
            NoSpace or QuotaExceeded => DiskFault.NoSpace,
            NoEntry => DiskFault.NotFound,
            _ => DiskFault.Broken,
        });
}
