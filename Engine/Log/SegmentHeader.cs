using System.Buffers.Binary;

namespace Sketch.Engine.Log;

/// <summary>
/// The first 64 bytes of a segment file, little endian; docs/formats/log.md has the same table.
/// <code>
/// offset  size  what
///      0     8  magic "SKETCHLG"
///      8     4  version (1)
///     12     4  log number
///     16     8  incarnation
///     24     4  partitions
///     28     4  zero
///     32     8  first position
///     40     8  first position of the segment before, zero for none
///     48     8  log time of the record before the first, zero for none
///     56     4  zero
///     60     4  CRC32C of the 60 bytes before
/// </code>
/// </summary>
/// <param name="Identity">Which log the segment belongs to.</param>
/// <param name="Partitions">The deployment's number of partitions.</param>
/// <param name="First">The position of the first record.</param>
/// <param name="PreviousFirst">Chains the segments: one that is missing in between shows.</param>
/// <param name="TimeFloorMs">Keeps the log time from falling when this segment is still empty.</param>
internal readonly record struct SegmentHeader(LogIdentity Identity, int Partitions, long First, long PreviousFirst, long TimeFloorMs)
{
    internal const int Bytes = 64;
    internal const int Version = 1;
    private const int ChecksumOffset = 60;

    private static ReadOnlySpan<byte> Magic => "SKETCHLG"u8;

    internal void Encode(Span<byte> into)
    {
        into[..Bytes].Clear();
        Magic.CopyTo(into);
        BinaryPrimitives.WriteInt32LittleEndian(into[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(into[12..], Identity.Number);
        BinaryPrimitives.WriteUInt64LittleEndian(into[16..], Identity.Incarnation);
        BinaryPrimitives.WriteInt32LittleEndian(into[24..], Partitions);
        BinaryPrimitives.WriteInt64LittleEndian(into[32..], First);
        BinaryPrimitives.WriteInt64LittleEndian(into[40..], PreviousFirst);
        BinaryPrimitives.WriteInt64LittleEndian(into[48..], TimeFloorMs);
        BinaryPrimitives.WriteUInt32LittleEndian(into[ChecksumOffset..], Crc32C.Compute(into[..ChecksumOffset]));
    }

    /// <exception cref="LogCorruptException">The bytes are no header, or a damaged one.</exception>
    /// <exception cref="LogFormatException">The header is good, of a version that this program does not know.</exception>
    internal static SegmentHeader Decode(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.Length < Bytes)
        {
            throw new LogCorruptException($"{path} has {bytes.Length} bytes, less than the {Bytes} of a segment's header.");
        }

        if (!bytes.StartsWith(Magic))
        {
            throw new LogCorruptException($"{path} does not begin with the mark of a segment file.");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]) != Crc32C.Compute(bytes[..ChecksumOffset]))
        {
            throw new LogCorruptException($"{path}: the header at offset 0 is damaged (checksum).");
        }

        int version = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (version != Version)
        {
            throw new LogFormatException($"{path} has segment version {version}; this program reads version {Version}.");
        }

        return new SegmentHeader(
            new LogIdentity(BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[12..])),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]));
    }
}
