using System.Buffers.Binary;
using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>A record as a test remembers it.</summary>
internal sealed record Seen(long Position, RecordKind Kind, UInt128 Producer, long Sequence, long AppendId, string Payload);

/// <summary>What the tests of the log share.</summary>
internal static class LogTesting
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static Task<EmbeddedLog> Open(string folder, long segmentBytes = 1 << 20, ILogDisk? disk = null, TimeProvider? time = null) =>
        EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions { Folder = folder, SegmentBytes = segmentBytes, Disk = disk ?? new LinuxDisk() },
            time ?? TimeProvider.System, CancellationToken.None);

    /// <summary>A record whose payload tells its number and fills so many bytes.</summary>
    public static LogRecord Record(long number, int bytes = 40)
    {
        byte[] payload = new byte[Math.Max(bytes, 8)];
        new Random((int)number).NextBytes(payload);
        BinaryPrimitives.WriteInt64LittleEndian(payload, number);
        return new LogRecord(RecordKind.Increments, (UInt128)(ulong)number << 64 | 7, number, number + 1_000_000, payload);
    }

    public static async Task<long> Append(this IIncrementLog log, LogRecord record, Durability durability = Durability.Flushed)
    {
        Appended answer = await log.AppendAsync(record, durability, CancellationToken.None);
        Assert.Equal(AppendStatus.Appended, answer.Status);
        return answer.Position;
    }

    public static async Task AppendMany(this IIncrementLog log, int from, int count, int bytes = 40, Durability durability = Durability.Flushed)
    {
        for (int i = from; i < from + count; i++)
        {
            await log.Append(Record(i, bytes), durability);
        }
    }

    public static Seen Expected(long position, LogRecord record) => new(
        position, record.Kind, record.Producer, record.Sequence, record.AppendId, Convert.ToHexString(record.Payload.Span));

    public static void Collect(LogSlice slice, List<Seen> into)
    {
        long expected = slice.First;
        foreach (LoggedRecord record in slice)
        {
            Assert.Equal(expected++, record.Position);
            into.Add(new Seen(record.Position, record.Kind, record.Producer, record.Sequence, record.AppendId, Convert.ToHexString(record.Payload)));
        }

        Assert.Equal(slice.Next, expected);
    }

    public static async Task<List<Seen>> ReadAll(this IIncrementLog log, long from = 1)
    {
        List<Seen> all = [];
        await foreach (LogSlice slice in log.ReadAsync(from, follow: false, CancellationToken.None))
        {
            using (slice)
            {
                Collect(slice, all);
            }
        }

        return all;
    }

    /// <summary>Follows in the background until that many records were seen.</summary>
    public static async Task<List<Seen>> Follow(this IIncrementLog log, long from, int count, CancellationToken cancellationToken = default)
    {
        List<Seen> all = [];
        await foreach (LogSlice slice in log.ReadAsync(from, follow: true, cancellationToken))
        {
            using (slice)
            {
                Collect(slice, all);
            }

            if (all.Count >= count)
            {
                break;
            }
        }

        return all;
    }
}
