using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>Whatever happens to the files, a record is read as it was written or not at all.</summary>
public sealed class LogDamageTests
{
    private const string Folder = "/log";
    private const string First = "/log/0000000000000001.seg";
    private const int LastBytes = 4 << 10;

    [Fact]
    public async Task A_cut_at_any_byte_leaves_the_records_before_it()
    {
        (byte[] content, List<Seen> records) = await SmallLog();
        for (int length = content.Length - 1; length >= content.Length - LastBytes; length--)
        {
            SimulatedDisk disk = new();
            disk.Put(First, content[..length]);
            await using EmbeddedLog log = await LogTesting.Open(Folder, disk: disk);
            List<Seen> left = await log.ReadAll();

            Assert.Equal(records[..left.Count], left);
            int end = records.Take(left.Count).Sum(FrameBytes) + 64;
            Assert.InRange(length - end, 0, FrameBytes(records[left.Count]) - 1);
            // Zeros after the last record are what room that was never written to looks like: nothing to report.
            bool nothing = content.AsSpan(end, length - end).IndexOfAnyExcept((byte)0) < 0;
            Assert.Equal(nothing ? null : new LogCut(First, end, length - end, left.Count + 1), log.Cut);
            Assert.Equal(left.Count + 1, await log.Append(LogTesting.Record(1)));
        }
    }

    [Fact]
    public async Task A_flipped_bit_at_any_byte_is_reported_or_cut_off_with_the_last_record()
    {
        (byte[] content, List<Seen> records) = await SmallLog();
        int last = content.Length - FrameBytes(records[^1]);
        for (int at = content.Length - LastBytes; at < content.Length; at++)
        {
            byte[] damaged = [.. content];
            damaged[at] ^= (byte)(1 << (at % 8));
            SimulatedDisk disk = new();
            disk.Put(First, damaged);
            if (at < last)
            {
                LogCorruptException error = await Assert.ThrowsAsync<LogCorruptException>(() => LogTesting.Open(Folder, disk: disk));
                Assert.Contains(First, error.Message, StringComparison.Ordinal);
                continue;
            }

            // The last record was synced, but nothing shows that: it looks like one that was being written.
            await using EmbeddedLog log = await LogTesting.Open(Folder, disk: disk);
            Assert.Equal(records[..^1], await log.ReadAll());
            Assert.Equal(new LogCut(First, last, content.Length - last, records.Count), log.Cut);
        }
    }

    [Fact]
    public async Task A_flipped_bit_in_the_header_or_the_first_record_is_reported()
    {
        (byte[] content, _) = await SmallLog(records: 0);
        for (int at = 0; at < content.Length; at++)
        {
            byte[] damaged = [.. content];
            damaged[at] ^= (byte)(1 << (at % 8));
            SimulatedDisk disk = new();
            disk.Put(First, damaged);
            await Assert.ThrowsAsync<LogCorruptException>(() => LogTesting.Open(Folder, disk: disk));
        }

        for (int length = 0; length < content.Length; length++)
        {
            SimulatedDisk disk = new();
            disk.Put(First, content[..length]);
            await Assert.ThrowsAsync<LogCorruptException>(() => LogTesting.Open(Folder, disk: disk));
        }
    }

    [Fact]
    public async Task Damage_in_an_older_segment_is_found_when_it_is_read()
    {
        SimulatedDisk disk = new();
        await using (EmbeddedLog log = await LogTesting.Open(Folder, segmentBytes: 4 << 10, disk))
        {
            await log.AppendMany(0, 100, bytes: 100);
        }

        string older = disk.Paths[1];
        disk.Read(older)[1_000] ^= 4;
        await using EmbeddedLog again = await LogTesting.Open(Folder, segmentBytes: 4 << 10, disk);
        LogCorruptException error = await Assert.ThrowsAsync<LogCorruptException>(() => again.ReadAll());
        Assert.Contains(older, error.Message, StringComparison.Ordinal);
        Assert.Contains("offset", error.Message, StringComparison.Ordinal);

        // What lies behind it can still be read by whoever asks for it.
        Assert.NotEmpty(await again.ReadAll(from: 90));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_older_segment_that_lost_or_gained_its_end_is_reported(bool shorter)
    {
        SimulatedDisk disk = new();
        await using (EmbeddedLog log = await LogTesting.Open(Folder, segmentBytes: 4 << 10, disk))
        {
            await log.AppendMany(0, 100, bytes: 100);
        }

        byte[] content = disk.Read(disk.Paths[1]);
        int frame = RecordFrame.Size(100);
        disk.Put(disk.Paths[1], shorter ? content[..^frame] : [.. content, .. content[64..(64 + frame)]]);
        await using EmbeddedLog again = await LogTesting.Open(Folder, segmentBytes: 4 << 10, disk);
        await Assert.ThrowsAsync<LogCorruptException>(() => again.ReadAll());
    }

    [Fact]
    public async Task A_group_torn_out_of_order_is_cut_off()
    {
        SimulatedDisk disk = new();
        EmbeddedLog log = await LogTesting.Open(Folder, disk: disk, time: new ManualTime());
        await log.AppendMany(0, 3, bytes: 500);
        int start = await AppendOneAndAGroup(log, disk, 3, 7);

        // The disk wrote all of the group but its first sector.
        byte[] torn = [.. disk.Read(First)];
        torn.AsSpan(start, 100).Clear();
        SimulatedDisk crashed = new();
        crashed.Put(First, torn);
        await using EmbeddedLog again = await LogTesting.Open(Folder, disk: crashed);
        Assert.Equal(start, again.Cut?.Offset);
        Assert.Equal(5, (await again.ReadAll()).Count);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Damage_to_a_group_is_reported_once_a_later_record_shows_that_it_was_synced()
    {
        SimulatedDisk disk = new();
        EmbeddedLog log = await LogTesting.Open(Folder, disk: disk, time: new ManualTime());
        int start = await AppendOneAndAGroup(log, disk, 0, 7);
        await log.AppendMany(8, 1, bytes: 500);
        await log.DisposeAsync();

        disk.Read(First)[start + 700] ^= 1;
        LogCorruptException error = await Assert.ThrowsAsync<LogCorruptException>(() => LogTesting.Open(Folder, disk: disk));
        Assert.Contains("position 10 was written after it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_frees_what_lies_beyond_the_end_of_the_file()
    {
        // Records whose file's length was lost would come back once it grows up to them; the simulation has such disks.
        SimulatedDisk disk = new();
        await using (EmbeddedLog log = await LogTesting.Open(Folder, disk: disk))
        {
            await log.AppendMany(0, 3);
        }

        List<string> calls = [];
        disk.Fault = (call, path) =>
        {
            calls.Add($"{call} {path}");
            return null;
        };
        await using EmbeddedLog again = await LogTesting.Open(Folder, disk: disk);
        Assert.Null(again.Cut);
        Assert.True(calls.IndexOf($"ftruncate {First}") is var freed and >= 0 && freed < calls.IndexOf($"fdatasync {First}"));
    }

    /// <summary>Appends a record, and during its sync a group of others; returns where in the file that group starts.</summary>
    private static async Task<int> AppendOneAndAGroup(EmbeddedLog log, SimulatedDisk disk, int from, int others)
    {
        disk.HoldSyncs();
        List<Task> appends = [log.Append(LogTesting.Record(from, 500))];
        await Until.True(() => disk.HeldSyncs == 1);
        int start = disk.Read(First).Length;
        long next = log.Range.Next + others;
        appends.AddRange(Enumerable.Range(from + 1, others).Select(i => log.Append(LogTesting.Record(i, 500))));
        await Until.True(() => log.Range.Next == next);
        disk.ReleaseSyncs();
        await Task.WhenAll(appends);
        return start;
    }

    private static int FrameBytes(Seen record) => RecordFrame.Size(record.Payload.Length / 2);

    private static async Task<(byte[] Content, List<Seen> Records)> SmallLog(int records = 60)
    {
        SimulatedDisk disk = new();
        await using EmbeddedLog log = await LogTesting.Open(Folder, disk: disk);
        for (int i = 0; i < records; i++)
        {
            await log.Append(LogTesting.Record(i, 8 + (i * 37 % 200)));
        }

        return ([.. disk.Read(First)], await log.ReadAll());
    }
}
