using System.Buffers;

namespace Sketch.Engine.Log;

/// <summary>
/// A run of whole, verified records in one pooled buffer. Whoever receives it disposes it once; its records are valid until then. A value: every group of the log has one.
/// </summary>
public readonly record struct LogSlice : IDisposable
{
    private readonly byte[] _buffer;
    private readonly Action<byte[]>? _release;
    private readonly int _length;

    /// <summary>Wraps <paramref name="length"/> bytes of encoded records.</summary>
    /// <param name="buffer">Encoded records, back to back, from offset 0.</param>
    /// <param name="length">How many bytes are used.</param>
    /// <param name="first">The first record's position.</param>
    /// <param name="count">How many records there are.</param>
    /// <param name="release">Takes the buffer back; null gives it to the shared array pool.</param>
    public LogSlice(byte[] buffer, int length, long first, int count, Action<byte[]>? release = null)
    {
        _buffer = buffer;
        _length = length;
        _release = release;
        First = first;
        Count = count;
    }

    /// <summary>The first record's position.</summary>
    public long First { get; }

    /// <summary>How many records there are.</summary>
    public int Count { get; }

    /// <summary>The position after the last record.</summary>
    public long Next => First + Count;

    /// <summary>The encoded records.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>Walks the records in order.</summary>
    public RecordEnumerator GetEnumerator() => new(Bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_release is null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        else
        {
            _release(_buffer);
        }
    }
}
