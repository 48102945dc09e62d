using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>Segments that were let go are written over; nothing of what they held comes back. The log's size has a limit.</summary>
public sealed class LogRecyclingTests
{
    private const string Folder = "/log";
    private const long SegmentBytes = 16 << 10;
    private readonly SimulatedDisk _disk = new();

    private string[] Spares => [.. _disk.Paths.Where(path => path.EndsWith(".spare", StringComparison.Ordinal))];

    [Fact]
    public async Task At_most_two_segments_are_kept_and_the_next_ones_are_made_of_them()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, SegmentBytes, _disk);
        await log.AppendMany(0, 100, bytes: 1_000);
        Assert.Equal(7, _disk.Paths.Length);

        await log.TruncateBeforeAsync(log.Range.Next, CancellationToken.None);

        Assert.Equal(2, Spares.Length);
        Assert.Equal(3, _disk.Paths.Length);
        List<Seen> kept = await log.ReadAll(log.Range.First);
        await log.AppendMany(100, 30, bytes: 1_000);
        Assert.Empty(Spares);
        Assert.Equal(kept.Count + 30, (await log.ReadAll(log.Range.First)).Count);
    }

    [Fact]
    public async Task A_group_is_followed_by_zeros_to_the_end_of_its_page_in_a_file_that_was_used_before()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, SegmentBytes, _disk);
        await log.AppendMany(0, 60, bytes: 1_000);
        await log.TruncateBeforeAsync(log.Range.Next, CancellationToken.None);
        string spare = Spares[0];
        int number = 60;
        while (_disk.Paths.Contains(spare))
        {
            await log.AppendMany(number++, 1, bytes: 1_000);
        }

        await log.AppendMany(number, 2, bytes: 1_000);

        byte[] content = _disk.Read(_disk.Paths.Last(path => path.EndsWith(".seg", StringComparison.Ordinal)));
        int end = SegmentHeader.Bytes + (3 * RecordFrame.Size(1_000));
        int page = (end + FrameRun.EndMarkBytes + 4_095) / 4_096 * 4_096;
        Assert.NotEqual(0, RecordFrame.Decode(content.AsSpan(end - RecordFrame.Size(1_000)), out _).Position);
        Assert.Equal(-1, content.AsSpan(end, page - end).IndexOfAnyExcept((byte)0));
        Assert.NotEqual(-1, content.AsSpan(page).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public async Task The_cache_lets_go_of_what_was_read_but_not_of_what_is_read_next()
    {
        const int Chunk = SegmentCursor.ChunkBytes;
        await using EmbeddedLog log = await LogTesting.Open(Folder, 8 * Chunk, _disk);
        await log.AppendMany(0, 60, bytes: 100_000);
        _disk.Dropped.Clear();

        Assert.Equal(60, (await log.ReadAll(from: 2)).Count);

        string active = Assert.Single(_disk.Paths);
        Assert.All(_disk.Dropped, dropped => Assert.Equal(active, dropped.Path));
        Assert.InRange(_disk.Dropped.Max(dropped => dropped.End), log.Bytes - (3 * Chunk), log.Bytes - Chunk);
        Assert.True(_disk.Dropped.Min(dropped => dropped.End) > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_start_finds_the_end_in_a_segment_that_holds_older_records_behind_it(int seed)
    {
        Random random = new(seed);
        SimulatedDisk disk = _disk;
        int number = 0;
        for (int life = 0; life < 20; life++)
        {
            await using EmbeddedLog log = await LogTesting.Open(Folder, SegmentBytes, disk);
            Assert.Null(log.Cut);
            Assert.Equal(number + 2, log.Range.Next);

            // All of one size, so that an older record may begin just where the newest ends.
            int count = random.Next(1, 60);
            await log.AppendMany(number, count, bytes: 1_000);
            number += count;
            List<Seen> all = await log.ReadAll(log.Range.First);
            Assert.Equal(LogTesting.Expected(number + 1, LogTesting.Record(number - 1, 1_000)), all[^1]);
            await log.TruncateBeforeAsync(log.Range.Next - random.Next(20), CancellationToken.None);
            disk = random.Next(2) == 0 ? disk.LoseProcess() : disk.LosePower(random);
        }
    }

    [Fact]
    public async Task A_group_torn_in_a_segment_with_older_records_is_cut()
    {
        int cuts = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            SimulatedDisk disk = new();
            SimulatedDisk after;
            int durable = 175 + random.Next(40);
            ManualTime time = new();
            await using (EmbeddedLog log = await LogTesting.Open(Folder, 4 * SegmentBytes, disk, time))
            {
                // Two segments full, the third written over the first.
                await log.AppendMany(0, 90, bytes: 700);
                await log.TruncateBeforeAsync(log.Range.Next, CancellationToken.None);
                await log.AppendMany(90, durable - 90, bytes: 700);
                disk.HoldSyncs();
                await log.AppendMany(durable, 1, bytes: 700, Durability.Written);
                time.Now += TimeSpan.FromMilliseconds(2);
                await Until.True(() => disk.HeldSyncs == 1);
                await log.AppendMany(durable + 1, 3, bytes: 700, Durability.Written);
                after = disk.LosePower(random);
                disk.ReleaseSyncs();
            }

            await using EmbeddedLog again = await LogTesting.Open(Folder, 4 * SegmentBytes, after);
            cuts += again.Cut is null ? 0 : 1;
            Assert.InRange(again.Range.Next, durable + 2, durable + 6);
            List<Seen> all = await again.ReadAll(again.Range.First);
            Assert.All(all, seen => Assert.Equal(LogTesting.Expected(seen.Position, LogTesting.Record(seen.Position - 2, 700)), seen));
            await again.AppendMany((int)again.Range.Next - 2, 5, bytes: 700);
        }

        Assert.InRange(cuts, 6, 60);
    }

    [Fact]
    public async Task What_is_being_read_is_not_written_over()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, SegmentBytes, _disk);
        await log.AppendMany(0, 60, bytes: 1_000);
        await using IAsyncEnumerator<LogSlice> reading = log.ReadAsync(1, follow: false, CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await reading.MoveNextAsync());
        reading.Current.Dispose();

        await log.TruncateBeforeAsync(log.Range.Next, CancellationToken.None);

        Assert.DoesNotContain(_disk.Paths, path => path.Contains("0000000000000001", StringComparison.Ordinal));
        Assert.Equal(2, Spares.Length);
    }

    [Fact]
    public async Task A_full_disk_takes_the_spare_segments_before_it_refuses()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, SegmentBytes, _disk);
        await log.AppendMany(0, 100, bytes: 1_000);
        await log.TruncateBeforeAsync(log.Range.Next, CancellationToken.None);
        _disk.Free = 0;
        int before = (await log.ReadAll(log.Range.First)).Count;

        int more = 0;
        while ((await log.AppendAsync(LogTesting.Record(100 + more, 1_000), Durability.Flushed, CancellationToken.None)).Status == AppendStatus.Appended)
        {
            more++;
        }

        Assert.InRange(more, 16, 45);
        Assert.Equal(before + more, (await log.ReadAll(log.Range.First)).Count);
        Assert.False(log.Failed.IsCompleted);
    }

    [Fact]
    public async Task A_log_at_its_limit_refuses_before_anything_is_written_and_goes_on_when_segments_were_let_go()
    {
        await using EmbeddedLog log = await EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions { Folder = Folder, SegmentBytes = SegmentBytes, MaxBytes = 4 * SegmentBytes, Disk = _disk }, TimeProvider.System, default);
        Appended answer;
        int number = 0;
        while ((answer = await log.AppendAsync(LogTesting.Record(number, 1_000), Durability.Flushed, default)).Status == AppendStatus.Appended)
        {
            number++;
        }

        Assert.Equal(new Appended(AppendStatus.Full, 0), answer);
        Assert.InRange(log.Bytes, 3 * SegmentBytes, 4 * SegmentBytes);
        LogRange range = log.Range;
        Assert.Equal(AppendStatus.Full, (await log.AppendAsync(LogTesting.Record(number, 1_000), Durability.Written, default)).Status);
        Assert.Equal(range, log.Range);
        Assert.Equal(number, (await log.ReadAll(from: 2)).Count);

        // A checkpoint needs a marker to move on, and then there is room again.
        Assert.Equal(AppendStatus.Appended, (await log.AppendAsync(new LogRecord(RecordKind.Marker, 0, 0, 0, new byte[8]), Durability.Written, default)).Status);
        await log.TruncateBeforeAsync(log.Range.Next, default);
        await log.AppendMany(number, 20, bytes: 1_000);
    }

    [Fact]
    public async Task A_limit_below_four_segments_is_refused()
    {
        ArgumentOutOfRangeException refused = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions { Folder = Folder, SegmentBytes = SegmentBytes, MaxBytes = (4 * SegmentBytes) - 1, Disk = _disk }, TimeProvider.System, default));
        Assert.Contains("MaxBytes is 65535; allowed 65536", refused.Message, StringComparison.Ordinal);
    }
}
