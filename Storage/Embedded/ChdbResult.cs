using System.Runtime.InteropServices;

namespace Sketch.Storage.Embedded;

/// <summary>Bytes and figures of one result or one chunk of it; the bytes are the engine's until it is disposed.</summary>
internal sealed unsafe class ChdbResult : IDisposable
{
    private nint _handle;

    /// <summary>Takes a result over.</summary>
    /// <exception cref="ChdbException">It is an error; the handle is released.</exception>
    public ChdbResult(nint handle)
    {
        _handle = handle;
        byte* error = handle == 0 ? null : LibChdb.ResultError(handle);
        if (handle == 0 || (error is not null && *error != 0))
        {
            string text = error is null ? "the engine gave no result" : Marshal.PtrToStringUTF8((nint)error)!;
            Dispose();
            throw new ChdbException(text);
        }
    }

    public nint Handle => _handle;

    public long Length => (long)LibChdb.ResultLength(_handle);

    public bool IsEmpty => Length == 0;

    /// <summary>Some of the bytes; a result may have more than a span can.</summary>
    public ReadOnlySpan<byte> Slice(long start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + length, Length);
        return new(LibChdb.ResultBuffer(_handle) + start, length);
    }

    public QueryFigures Figures => new(
        LibChdb.RowsRead(_handle), LibChdb.BytesRead(_handle), LibChdb.RowsWritten(_handle), LibChdb.BytesWritten(_handle),
        LibChdb.ResultRows(_handle));

    public void Dispose()
    {
        nint handle = Interlocked.Exchange(ref _handle, 0);
        if (handle != 0)
        {
            LibChdb.DestroyResult(handle);
        }
    }
}

/// <summary>What a statement read and wrote.</summary>
internal readonly record struct QueryFigures(ulong RowsRead, ulong BytesRead, ulong RowsWritten, ulong BytesWritten, ulong ResultRows)
{
    public static QueryFigures operator +(QueryFigures a, QueryFigures b) => new(
        a.RowsRead + b.RowsRead, a.BytesRead + b.BytesRead, a.RowsWritten + b.RowsWritten, a.BytesWritten + b.BytesWritten,
        a.ResultRows + b.ResultRows);
}
