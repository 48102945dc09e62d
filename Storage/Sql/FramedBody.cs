using System.Buffers;
using System.Buffers.Binary;
using K4os.Compression.LZ4;
using Sketch.Storage.Embedded.Http;
using ZstdSharp;

namespace Sketch.Storage.Sql;

/// <summary>
/// A body in ClickHouse's own compressed frames (decompress=1), as plain bytes. A frame is: CityHash128 of what follows (16 bytes), method (1), bytes of the frame
/// without the checksum (4), bytes of the data (4), the block. Sizes are judged before anything is allocated for them, the checksum before anything is
/// decompressed.
/// </summary>
internal sealed class FramedBody(Stream inner) : Stream
{
    /// <summary>The most bytes of a frame, compressed or not; clients make frames of a mebibyte.</summary>
    public const int MaxFrameBytes = 16 << 20;

    private const int ChecksumBytes = 16;
    private const int HeaderBytes = 9;
    private const byte Plain = 0x02;
    private const byte Lz4 = 0x82;
    private const byte Zstd = 0x90;

    private readonly byte[] _head = new byte[ChecksumBytes + HeaderBytes];
    private byte[] _data = [];
    private int _start;
    private int _end;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="BadBodyException">A frame is broken, too large, or of a method that is not known.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_start == _end && buffer.Length > 0)
        {
            if (!await ReadFrameAsync(cancellationToken))
            {
                return 0;
            }
        }

        int length = Math.Min(buffer.Length, _end - _start);
        _data.AsMemory(_start, length).CopyTo(buffer);
        _start += length;
        return length;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<bool> ReadFrameAsync(CancellationToken cancellationToken)
    {
        int read = await inner.ReadAtLeastAsync(_head, _head.Length, throwOnEndOfStream: false, cancellationToken);
        if (read == 0)
        {
            return false;
        }

        RequireWhole(read, _head.Length);
        int size = Size(_head.AsSpan(ChecksumBytes + 1), "compressed");
        int data = Size(_head.AsSpan(ChecksumBytes + 5), "decompressed");
        if (size < HeaderBytes)
        {
            throw new BadBodyException(BadBodyException.Block, $"a frame's compressed size is {size} bytes; allowed: {HeaderBytes} to {MaxFrameBytes}");
        }

        byte[] frame = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            _head.AsSpan(ChecksumBytes).CopyTo(frame);
            RequireWhole(await inner.ReadAtLeastAsync(frame.AsMemory(HeaderBytes, size - HeaderBytes), size - HeaderBytes, throwOnEndOfStream: false, cancellationToken), size - HeaderBytes);
            Check(frame.AsSpan(0, size));
            if (_data.Length < data)
            {
                _data = new byte[data];
            }

            Decompress(frame[0], frame.AsSpan(HeaderBytes, size - HeaderBytes), _data.AsSpan(0, data));
            (_start, _end) = (0, data);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    private static int Size(ReadOnlySpan<byte> bytes, string which)
    {
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        return size <= MaxFrameBytes
            ? (int)size
            : throw new BadBodyException(BadBodyException.TooLarge, $"a frame's {which} size is {size} bytes; allowed: 0 to {MaxFrameBytes}");
    }

    private static void RequireWhole(int read, int wanted)
    {
        if (read < wanted)
        {
            throw new BadBodyException(BadBodyException.Incomplete, $"the body ends within a frame: {read} bytes of {wanted} are there");
        }
    }

    private void Check(ReadOnlySpan<byte> frame)
    {
        (ulong low, ulong high) = CityHash128.Compute(frame);
        if (low != BinaryPrimitives.ReadUInt64LittleEndian(_head) || high != BinaryPrimitives.ReadUInt64LittleEndian(_head.AsSpan(8)))
        {
            throw new BadBodyException(BadBodyException.Checksum, $"a frame's checksum is {high:x16}{low:x16} by its bytes, and another by what it says");
        }
    }

    private static void Decompress(byte method, ReadOnlySpan<byte> block, Span<byte> data)
    {
        int length;
        try
        {
            length = method switch
            {
                Plain => block.TryCopyTo(data) ? block.Length : -1,
                Lz4 => LZ4Codec.Decode(block, data),
                Zstd => Unzstd(block, data),
                _ => throw new BadBodyException(BadBodyException.UnknownMethod, $"a frame's method is 0x{method:x2}; allowed: 0x02 (none), 0x82 (LZ4), 0x90 (ZSTD)"),
            };
        }
        catch (ZstdException)
        {
            length = -1;
        }

        if (length != data.Length)
        {
            throw new BadBodyException(BadBodyException.Block, $"a frame's block does not decompress to the {data.Length} bytes that it promises");
        }
    }

    private static int Unzstd(ReadOnlySpan<byte> block, Span<byte> data)
    {
        using Decompressor decompressor = new();
        return decompressor.Unwrap(block, data);
    }
}
