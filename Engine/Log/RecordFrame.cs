using System.Buffers.Binary;

namespace Sketch.Engine.Log;

/// <summary>
/// The bytes of one record, little endian; docs/formats/log.md has the same table.
/// <code>
/// offset  size  what
///      0     4  CRC32C of all that follows, padding included
///      4     4  payload length
///      8     8  position
///     16     8  log time, milliseconds since 1970
///     24    16  producer
///     40     8  sequence
///     48     8  append id
///     56     1  kind
///     57     1  version (1)
///     58     2  zero
///     60     4  how many records just before this one were not known to be synced when it was written
///     64     n  payload, padded with zeros to a multiple of 8
/// </code>
/// </summary>
public static class RecordFrame
{
    /// <summary>Bytes before the payload.</summary>
    public const int HeaderBytes = 64;

    /// <summary>The longest payload, in bytes.</summary>
    public const int MaxPayloadBytes = 4 << 20;

    /// <summary>The version written and read.</summary>
    public const byte Version = 1;

    /// <summary>The bytes that a record with this payload takes in the log.</summary>
    public static int Size(int payloadBytes) => HeaderBytes + ((payloadBytes + 7) & ~7);

    /// <summary>Writes one record.</summary>
    /// <param name="into">At least <see cref="Size"/> bytes.</param>
    /// <param name="record">What to write.</param>
    /// <param name="position">Its place in the log.</param>
    /// <param name="timeMs">Its log time.</param>
    /// <param name="unsynced">
    /// How many records just before this one a loss of power could still take. Recovery needs it to tell a group that was torn
    /// (the disk writes its pages in any order, so that a later record may be whole) from damage to what was durable.
    /// </param>
    /// <returns>The bytes written.</returns>
    public static int Encode(Span<byte> into, in LogRecord record, long position, long timeMs, uint unsynced = 0)
    {
        int length = record.Payload.Length;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxPayloadBytes);
        int size = Size(length);
        Span<byte> frame = into[..size];
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], length);
        BinaryPrimitives.WriteInt64LittleEndian(frame[8..], position);
        BinaryPrimitives.WriteInt64LittleEndian(frame[16..], timeMs);
        BinaryPrimitives.WriteUInt128LittleEndian(frame[24..], record.Producer);
        BinaryPrimitives.WriteInt64LittleEndian(frame[40..], record.Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(frame[48..], record.AppendId);
        BinaryPrimitives.WriteInt64LittleEndian(frame[56..], (long)record.Kind | ((long)Version << 8) | ((long)unsynced << 32));
        record.Payload.Span.CopyTo(frame[HeaderBytes..]);
        frame[(HeaderBytes + length)..].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Crc32C.Compute(frame[4..]));
        return size;
    }

    /// <summary>Checks the frame at the start of the bytes: whole, and its checksum right.</summary>
    /// <param name="bytes">What was read.</param>
    /// <param name="size">The frame's bytes when it is good.</param>
    public static bool TryVerify(ReadOnlySpan<byte> bytes, out int size)
    {
        size = 0;
        if (bytes.Length < HeaderBytes)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if ((uint)length > MaxPayloadBytes || Size(length) > bytes.Length)
        {
            return false;
        }

        size = Size(length);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Crc32C.Compute(bytes[4..size]);
    }

    /// <summary>Reads a verified frame.</summary>
    /// <param name="bytes">Starts with a frame for which <see cref="TryVerify"/> was true.</param>
    /// <param name="size">The frame's bytes.</param>
    public static LoggedRecord Decode(ReadOnlySpan<byte> bytes, out int size)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        size = Size(length);
        return new LoggedRecord
        {
            Position = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
            TimeMs = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
            Producer = BinaryPrimitives.ReadUInt128LittleEndian(bytes[24..]),
            Sequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            AppendId = BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]),
            Kind = (RecordKind)bytes[56],
            Payload = bytes.Slice(HeaderBytes, length),
        };
    }
}
