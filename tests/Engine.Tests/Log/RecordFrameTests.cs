using System.Text;
using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

public sealed class RecordFrameTests
{
    [Fact]
    public void The_checksum_is_the_published_one()
    {
        // RFC 3720, B.4, and the usual check value.
        Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()));
        Assert.Equal(0u, Crc32C.Compute([]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(300)]
    public void Every_bit_of_a_frame_is_checked(int payloadBytes)
    {
        LogRecord record = new(RecordKind.Definition, UInt128.MaxValue - 3, long.MaxValue, long.MinValue, new byte[payloadBytes]);
        byte[] frame = new byte[RecordFrame.Size(payloadBytes) + 8];
        int size = RecordFrame.Encode(frame, record, position: 9, timeMs: 77, unsynced: 5);
        Assert.Equal(RecordFrame.Size(payloadBytes), size);
        Assert.True(RecordFrame.TryVerify(frame, out int verified));
        Assert.Equal(size, verified);
        LoggedRecord read = RecordFrame.Decode(frame, out _);
        Assert.Equal((9, 77, record.Kind, record.Producer, record.Sequence, record.AppendId, payloadBytes),
            (read.Position, read.TimeMs, read.Kind, read.Producer, read.Sequence, read.AppendId, read.Payload.Length));

        for (int bit = 0; bit < size * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(RecordFrame.TryVerify(frame, out _), $"bit {bit}");
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int length = 0; length < size; length++)
        {
            Assert.False(RecordFrame.TryVerify(frame.AsSpan(0, length), out _));
        }
    }

    /// <summary>A frame as version 1 writes it: other bytes, other version.</summary>
    [Fact]
    public void The_bytes_of_version_1_stay()
    {
        byte[] payload = Encoding.ASCII.GetBytes("increments");
        byte[] frame = new byte[RecordFrame.Size(payload.Length)];
        RecordFrame.Encode(frame, new LogRecord(RecordKind.Increments, (UInt128)1 << 127, 2, 3, payload), position: 4, timeMs: 5, unsynced: 6);
        Assert.Equal(
            "2FA1EA770A000000040000000000000005000000000000000000000000000000000000000000008002000000000000000300000000000000" +
            "0201000006000000696E6372656D656E7473000000000000",
            Convert.ToHexString(frame));
    }
}
