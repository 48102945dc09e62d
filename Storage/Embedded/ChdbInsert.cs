using System.Runtime.InteropServices;

namespace Sketch.Storage.Embedded;

/// <summary>
/// An INSERT whose data is appended in chunks. This is the only way data goes in: data inlined into a statement's text is cut at some bytes,
/// silently.
/// </summary>
internal sealed unsafe class ChdbInsert : IDisposable
{
    private nint _stream;

    public ChdbInsert(nint stream)
    {
        _stream = stream;
        ThrowIfFailed();
    }

    /// <summary>Appends bytes; blocks while the engine has enough to do.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
        {
            return;
        }

        fixed (byte* bytes = data)
        {
            if (LibChdb.StreamAppend(_stream, bytes, (nuint)data.Length) != 0)
            {
                // The cause is known only once the engine's worker has been joined: Complete throws it.
                Complete();
                throw new ChdbException("the insert failed without saying why");
            }
        }
    }

    /// <summary>Ends the data; on return it is stored.</summary>
    /// <exception cref="ChdbException">It is not; nothing of the last block was stored.</exception>
    public QueryFigures Complete()
    {
        using ChdbResult result = new(LibChdb.StreamDone(_stream));
        return result.Figures;
    }

    /// <summary>Ends without storing what was not stored yet.</summary>
    public void Dispose()
    {
        nint stream = Interlocked.Exchange(ref _stream, 0);
        if (stream != 0)
        {
            LibChdb.DestroyInsertStream(stream); // cancels what is not complete
        }
    }

    private void ThrowIfFailed()
    {
        byte* error = LibChdb.StreamInsertError(_stream);
        if (error is not null && *error != 0)
        {
            string text = Marshal.PtrToStringUTF8((nint)error)!;
            Dispose();
            throw new ChdbException(text);
        }
    }
}
