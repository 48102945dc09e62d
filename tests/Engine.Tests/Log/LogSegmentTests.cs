using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>Segments follow each other, are let go from the front, and are refused when they do not belong together.</summary>
public sealed class LogSegmentTests : IDisposable
{
    private const int SegmentBytes = 8 << 10;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Segments_are_named_by_their_first_position_and_none_is_too_long()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder, SegmentBytes);
        await log.AppendMany(0, 100, bytes: 500);

        Assert.InRange(_folder.Segments.Length, 7, 9);
        Assert.EndsWith("0000000000000001.seg", _folder.Segments[0], StringComparison.Ordinal);
        Assert.All(_folder.Segments, path => Assert.InRange(new FileInfo(path).Length, 1, SegmentBytes));
        Assert.Equal(101, (await log.ReadAll()).Count);
    }

    [Fact]
    public async Task Truncation_lets_whole_segments_go_and_reads_say_so()
    {
        await using (EmbeddedLog log = await LogTesting.Open(_folder, SegmentBytes))
        {
            await log.AppendMany(0, 100, bytes: 500);
            int before = _folder.Segments.Length;
            await log.TruncateBeforeAsync(50, default);

            long first = log.Range.First;
            Assert.InRange(first, 30, 50);
            Assert.InRange(_folder.Segments.Length, 3, before - 3);
            Assert.Throws<LogTruncatedException>(() => log.ReadAsync(first - 1, follow: false, default));
            Assert.Equal(101 - first + 1, (await log.ReadAll(first)).Count);
            await log.TruncateBeforeAsync(10, default);
            Assert.Equal(first, log.Range.First);

            // The active segment stays, however much is let go.
            await log.TruncateBeforeAsync(long.MaxValue, default);
            Assert.Single(_folder.Segments);
            Assert.Equal(102, log.Range.Next);
        }

        await using EmbeddedLog again = await LogTesting.Open(_folder, SegmentBytes);
        Assert.Equal(102, again.Range.Next);
        Assert.NotEqual(0UL, again.Identity.Incarnation);
        Assert.Equal(102, await again.Append(LogTesting.Record(1)));
    }

    [Fact]
    public async Task A_reader_that_is_under_way_survives_truncation_or_is_told()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder, SegmentBytes);
        await log.AppendMany(0, 100, bytes: 500);
        await using IAsyncEnumerator<LogSlice> reader = log.ReadAsync(1, follow: false, default).GetAsyncEnumerator();
        Assert.True(await reader.MoveNextAsync());
        Assert.Equal(1, reader.Current.First);
        reader.Current.Dispose();
        await log.TruncateBeforeAsync(60, default);
        await Assert.ThrowsAsync<LogTruncatedException>(async () => await reader.MoveNextAsync());
    }

    [Fact]
    public async Task An_empty_last_segment_is_a_good_end()
    {
        string[] before;
        await using (EmbeddedLog log = await LogTesting.Open(_folder, SegmentBytes))
        {
            await log.AppendMany(0, 60, bytes: 500);
            before = _folder.Segments;
        }

        // The process ended between making the segment and writing to it.
        using (FileStream last = File.OpenWrite(before[^1]))
        {
            last.SetLength(64);
        }

        await using EmbeddedLog again = await LogTesting.Open(_folder, SegmentBytes);
        Assert.Null(again.Cut);
        long next = again.Range.Next;
        Assert.Equal(next, await again.Append(LogTesting.Record(1)));
        Assert.Equal(next, (await again.ReadAll()).Count);
        Assert.Equal(before, _folder.Segments);
    }

    [Fact]
    public async Task A_missing_segment_is_noticed_at_the_start()
    {
        await Make(_folder);
        string[] segments = _folder.Segments;
        File.Delete(segments[2]);
        LogCorruptException error = await Assert.ThrowsAsync<LogCorruptException>(() => LogTesting.Open(_folder, SegmentBytes));
        Assert.Contains("a segment is missing", error.Message, StringComparison.Ordinal);
        Assert.Contains(segments[3], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_segment_of_another_log_is_refused()
    {
        using TempFolder other = new();
        await Make(_folder);
        await Make(other);
        File.Copy(other.Segments[2], _folder.Segments[2], overwrite: true);
        LogFormatException error = await Assert.ThrowsAsync<LogFormatException>(() => LogTesting.Open(_folder, SegmentBytes));
        Assert.Contains("two logs are mixed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renamed_segment_and_a_strange_name_are_refused()
    {
        await Make(_folder);
        string last = _folder.Segments[^1];
        string strange = Path.Combine(_folder, "12.seg");
        File.WriteAllText(strange, "");
        Assert.Contains("16 hexadecimal digits", (await Assert.ThrowsAsync<LogCorruptException>(() => LogTesting.Open(_folder))).Message, StringComparison.Ordinal);
        File.Delete(strange);
        File.Move(last, Path.Combine(_folder, "00000000000fffff.seg"));
        Assert.Contains("the name says", (await Assert.ThrowsAsync<LogCorruptException>(() => LogTesting.Open(_folder))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_wrong_number_of_partitions_or_log_is_refused()
    {
        await Make(_folder);
        EmbeddedLogOptions options = new() { Folder = _folder };
        Assert.Contains(
            "was made for 64 partitions, the configuration says 32",
            (await Assert.ThrowsAsync<LogFormatException>(() => EmbeddedLog.OpenAsync(options with { Partitions = 32 }, TimeProvider.System, default))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "belongs to log 0; this is log 1",
            (await Assert.ThrowsAsync<LogFormatException>(() => EmbeddedLog.OpenAsync(options with { LogNumber = 1 }, TimeProvider.System, default))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(56, 9, "kind")]
    [InlineData(57, 2, "version")]
    public async Task A_record_of_a_newer_program_stops_the_start(int offset, byte value, string what)
    {
        await Make(_folder, records: 1);
        byte[] content = File.ReadAllBytes(_folder.Segments[0]);
        Span<byte> frame = content.AsSpan(64 + RecordFrame.Size(16));
        frame[offset] = value;
        BitConverter.TryWriteBytes(frame, Crc32C.Compute(frame[4..]));
        File.WriteAllBytes(_folder.Segments[0], content);
        LogFormatException error = await Assert.ThrowsAsync<LogFormatException>(() => LogTesting.Open(_folder));
        Assert.Contains($"position 2 has a {what} that this program does not know", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_segment_of_a_newer_program_stops_the_start()
    {
        await Make(_folder, records: 1);
        byte[] content = File.ReadAllBytes(_folder.Segments[0]);
        content[8] = 2;
        BitConverter.TryWriteBytes(content.AsSpan(60), Crc32C.Compute(content.AsSpan(0, 60)));
        File.WriteAllBytes(_folder.Segments[0], content);
        LogFormatException error = await Assert.ThrowsAsync<LogFormatException>(() => LogTesting.Open(_folder));
        Assert.Contains("segment version 2; this program reads version 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_segment_that_was_never_finished_is_removed()
    {
        await Make(_folder, records: 1);
        string made = Path.Combine(_folder, "0000000000000003.seg.new");
        File.WriteAllText(made, "half");
        await using EmbeddedLog log = await LogTesting.Open(_folder);
        Assert.False(File.Exists(made));
    }

    private static async Task Make(string folder, int records = 60)
    {
        await using EmbeddedLog log = await LogTesting.Open(folder, SegmentBytes);
        await log.AppendMany(0, records, bytes: 500);
    }
}
