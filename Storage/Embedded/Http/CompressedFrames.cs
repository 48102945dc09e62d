using System.Buffers.Binary;

namespace Sketch.Storage.Embedded.Http;

/// <summary>
/// ClickHouse's own compressed frames, which clients ask for with compress=1: checksum (16 bytes), method LZ4 (1), bytes of the frame without the checksum (4), bytes
/// of the data (4), an LZ4 block. The block is all literals: on loopback there is nothing to win by searching for repetitions.
/// </summary>
internal sealed class CompressedFrames(Stream inner) : Stream
{
    private const byte Lz4 = 0x82;
    private const int ChecksumBytes = 16;
    private const int HeaderBytes = 9;
    private const int MaxData = 1 << 20;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>One frame of so many bytes at most.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> data)
    {
        int lengthBytes = data.Length < 15 ? 0 : ((data.Length - 15) / 255) + 1;
        byte[] frame = new byte[ChecksumBytes + HeaderBytes + 1 + lengthBytes + data.Length];
        Span<byte> body = frame.AsSpan(ChecksumBytes);
        body[0] = Lz4;
        BinaryPrimitives.WriteInt32LittleEndian(body[1..], body.Length);
        BinaryPrimitives.WriteInt32LittleEndian(body[5..], data.Length);
        // A token with the number of literals, what does not fit into it in bytes of up to 255, then the literals.
        body[HeaderBytes] = (byte)(Math.Min(data.Length, 15) << 4);
        for (int i = 0, left = data.Length - 15; i < lengthBytes; i++, left -= 255)
        {
            body[HeaderBytes + 1 + i] = (byte)Math.Min(left, 255);
        }

        data.CopyTo(body[(HeaderBytes + 1 + lengthBytes)..]);
        (ulong low, ulong high) = CityHash128.Compute(body);
        BinaryPrimitives.WriteUInt64LittleEndian(frame, low);
        BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(8), high);
        return frame;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (int at = 0; at < buffer.Length; at += MaxData)
        {
            await inner.WriteAsync(Frame(buffer.Span.Slice(at, Math.Min(MaxData, buffer.Length - at))), cancellationToken);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
