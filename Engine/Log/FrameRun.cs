using System.Buffers.Binary;

namespace Sketch.Engine.Log;

/// <summary>What is wrong with the bytes after the good frames.</summary>
internal enum FrameFault
{
    None,

    /// <summary>The frame goes on beyond the bytes at hand.</summary>
    Incomplete,

    /// <summary>Zeros, as the writer leaves them behind its last record in a segment that was in use before.</summary>
    EndMark,

    /// <summary>The length is impossible or the checksum wrong.</summary>
    Damaged,

    /// <summary>Sound, of a frame version that this program does not know.</summary>
    UnknownVersion,

    /// <summary>Sound, of a record kind that this program does not know.</summary>
    UnknownKind,

    /// <summary>Sound, but not the position that follows.</summary>
    WrongPosition,
}

/// <summary>The good frames at the start of some bytes, and what stopped the walk over them.</summary>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Count">Their number.</param>
/// <param name="LastTimeMs">The last one's log time.</param>
/// <param name="Fault">What comes after them; none at the end of the bytes.</param>
/// <param name="Needed">With <see cref="FrameFault.Incomplete"/>: how long the next frame is, as far as it can be seen.</param>
internal readonly record struct FrameRun(int Bytes, int Count, long LastTimeMs, FrameFault Fault, int Needed)
{
    /// <summary>The length of an end mark, unless the file ends before.</summary>
    internal const int EndMarkBytes = RecordFrame.HeaderBytes;

    /// <summary>Verifies frame after frame.</summary>
    /// <param name="bytes">Starts at a frame.</param>
    /// <param name="expected">The first one's position.</param>
    internal static FrameRun Walk(ReadOnlySpan<byte> bytes, long expected)
    {
        int at = 0;
        int count = 0;
        long timeMs = 0;
        while (at < bytes.Length)
        {
            ReadOnlySpan<byte> rest = bytes[at..];
            FrameFault fault = Check(rest, out int size);
            if (fault == FrameFault.None && PositionOf(rest) != expected + count)
            {
                fault = FrameFault.WrongPosition;
            }

            if (fault != FrameFault.None)
            {
                return new FrameRun(at, count, timeMs, fault, size);
            }

            timeMs = BinaryPrimitives.ReadInt64LittleEndian(rest[16..]);
            at += size;
            count++;
        }

        return new FrameRun(at, count, timeMs, FrameFault.None, 0);
    }

    internal static long PositionOf(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadInt64LittleEndian(frame[8..]);

    private static FrameFault Check(ReadOnlySpan<byte> rest, out int size)
    {
        size = RecordFrame.HeaderBytes;
        if (rest[..Math.Min(rest.Length, EndMarkBytes)].IndexOfAnyExcept((byte)0) < 0)
        {
            return FrameFault.EndMark;
        }

        if (rest.Length < RecordFrame.HeaderBytes)
        {
            return FrameFault.Incomplete;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(rest[4..]);
        if ((uint)length > RecordFrame.MaxPayloadBytes)
        {
            return FrameFault.Damaged;
        }

        size = RecordFrame.Size(length);
        if (size > rest.Length)
        {
            return FrameFault.Incomplete;
        }

        return !RecordFrame.TryVerify(rest, out _) ? FrameFault.Damaged
            : rest[57] != RecordFrame.Version ? FrameFault.UnknownVersion
            : rest[56] is < (byte)RecordKind.Genesis or > (byte)RecordKind.Expiring ? FrameFault.UnknownKind
            : FrameFault.None;
    }
}
