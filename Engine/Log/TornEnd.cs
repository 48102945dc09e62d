using System.Buffers.Binary;

namespace Sketch.Engine.Log;

/// <summary>Tells a group that was torn while it was written from damage to what had been durable.</summary>
internal static class TornEnd
{
    private const int StepBytes = BufferPool.LargestBytes / 2;

    /// <summary>
    /// Looks behind a bad record for a good one that was written after the bad one was synced: its existence proves that durable bytes changed.
    /// One that was written with or before the bad one's sync proves nothing, since a disk writes pages in any order.
    /// </summary>
    /// <param name="file">The last segment.</param>
    /// <param name="offset">The bad record.</param>
    /// <param name="position">Its position.</param>
    /// <param name="end">Where the file ends.</param>
    /// <param name="buffer">Of the largest size.</param>
    /// <param name="any">Whether there is any good record behind it, proof or not.</param>
    /// <returns>The proof's position, or zero.</returns>
    internal static long FindLater(ILogFile file, long offset, long position, long end, byte[] buffer, out bool any)
    {
        any = false;
        long highest = position + ((end - offset) / RecordFrame.HeaderBytes);
        for (long from = offset + 8; from < end; from += StepBytes)
        {
            int got = file.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - from)), from);
            for (int at = 0; at < Math.Min(got, StepBytes); at += 8)
            {
                ReadOnlySpan<byte> frame = buffer.AsSpan(at, got - at);
                if (IsPlausible(frame, position, highest) && RecordFrame.TryVerify(frame, out _))
                {
                    any = true;
                    if (SyncedBefore(frame) > position)
                    {
                        return FrameRun.PositionOf(frame);
                    }
                }
            }
        }

        return 0;
    }

    /// <summary>Cheap, so that the checksum is computed for few places only.</summary>
    private static bool IsPlausible(ReadOnlySpan<byte> frame, long after, long highest)
    {
        if (frame.Length < RecordFrame.HeaderBytes || frame[57] != RecordFrame.Version || frame[56] == 0 || frame[58] != 0 || frame[59] != 0)
        {
            return false;
        }

        long position = FrameRun.PositionOf(frame);
        return position > after && position <= highest;
    }

    /// <summary>When the record was written, those before this position were durable.</summary>
    private static long SyncedBefore(ReadOnlySpan<byte> frame) =>
        FrameRun.PositionOf(frame) - BinaryPrimitives.ReadUInt32LittleEndian(frame[60..]);
}
