using System.Buffers;
using Sketch.Engine.Log;

namespace Sketch.Engine.Checkpoints;

/// <summary>Bytes on their way into a file, piece by piece, with their length and checksum: a snapshot of a million definitions never lies in memory as a whole.</summary>
internal sealed class SnapshotWriter(ILogFile file, long offset) : IBufferWriter<byte>
{
    private byte[] _buffer = new byte[64 << 10];
    private int _filled;
    private uint _crc;
    private long _written;

    /// <inheritdoc/>
    public void Advance(int count) => _filled += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_buffer.Length - _filled < Math.Max(sizeHint, 1))
        {
            Flush();
            if (_buffer.Length < sizeHint)
            {
                _buffer = new byte[sizeHint];
            }
        }

        return _buffer.AsMemory(_filled);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Writes the rest.</summary>
    /// <returns>How many bytes came in all, and their CRC32C.</returns>
    public (int Length, uint Crc) Complete()
    {
        Flush();
        return (checked((int)_written), _crc);
    }

    private void Flush()
    {
        if (_filled == 0)
        {
            return;
        }

        ReadOnlySpan<byte> piece = _buffer.AsSpan(0, _filled);
        file.Write(piece, offset + _written);
        _crc = Crc32C.Append(_crc, piece);
        _written += _filled;
        _filled = 0;
    }
}
