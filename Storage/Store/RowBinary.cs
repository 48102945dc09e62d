using System.Buffers.Binary;

namespace Sketch.Storage.Store;

/// <summary>
/// Values of ClickHouse's format RowBinary, one after the other, out of what has come of an answer so far. When a value has not come whole it says no: the row is to be read again
/// from its beginning once there is more.
/// </summary>
internal ref struct RowBinary(ReadOnlyMemory<byte> bytes)
{
    // A varint of 32 bits.
    private const int LongestShift = 28;

    /// <summary>How many bytes were read.</summary>
    public int Length { get; private set; }

    /// <summary>A UInt8.</summary>
    public bool TryRead(out byte value)
    {
        bool isThere = bytes.Length - Length >= sizeof(byte);
        value = isThere ? bytes.Span[Length++] : default;
        return isThere;
    }

    /// <summary>An Int64.</summary>
    public bool TryRead(out long value)
    {
        bool isThere = bytes.Length - Length >= sizeof(long);
        value = isThere ? BinaryPrimitives.ReadInt64LittleEndian(bytes.Span[Length..]) : default;
        Length += isThere ? sizeof(long) : 0;
        return isThere;
    }

    /// <summary>A UInt64.</summary>
    public bool TryRead(out ulong value)
    {
        bool isThere = TryRead(out long bits);
        value = (ulong)bits;
        return isThere;
    }

    /// <summary>A String, as long as its bytes stay where they are.</summary>
    public bool TryRead(out ReadOnlyMemory<byte> text)
    {
        text = default;
        int size = 0;
        for (int shift = 0; shift <= LongestShift && TryRead(out byte part); shift += 7)
        {
            size |= (part & 0x7F) << shift;
            if (part < 0x80)
            {
                bool isThere = size >= 0 && bytes.Length - Length >= size;
                text = isThere ? bytes.Slice(Length, size) : default;
                Length += isThere ? size : 0;
                return isThere;
            }
        }

        return false;
    }
}
