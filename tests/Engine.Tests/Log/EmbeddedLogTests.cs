using System.Runtime.Versioning;
using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

public sealed class EmbeddedLogTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_new_log_begins_with_its_genesis()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder);

        Assert.Equal(new LogRange(1, 2), log.Range);
        Assert.NotEqual(0UL, log.Identity.Incarnation);
        Seen genesis = Assert.Single(await log.ReadAll());
        Assert.Equal(RecordKind.Genesis, genesis.Kind);
        Assert.Null(log.Cut);
    }

    [Fact]
    public async Task Records_come_back_as_they_were_appended()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder);
        List<Seen> expected = [];
        for (int i = 0; i < 300; i++)
        {
            LogRecord record = LogTesting.Record(i, bytes: 8 + i);
            long position = await log.Append(record, i % 3 == 0 ? Durability.Flushed : Durability.Written);
            Assert.Equal(i + 2, position);
            expected.Add(LogTesting.Expected(position, record));
        }

        Assert.Equal(expected, await log.ReadAll(from: 2));
        Assert.Equal(expected[100..], await log.ReadAll(from: 102));
        Assert.Empty(await log.ReadAll(from: 302));
    }

    [Fact]
    public async Task Empty_and_largest_payloads_fit_and_a_larger_one_is_refused()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder, segmentBytes: 4 << 10);
        LogRecord empty = new(RecordKind.Marker, 0, 0, 0, ReadOnlyMemory<byte>.Empty);
        LogRecord largest = LogTesting.Record(1, RecordFrame.MaxPayloadBytes);
        await log.Append(empty);
        await log.Append(largest);
        await log.Append(empty);

        Assert.Equal([LogTesting.Expected(2, empty), LogTesting.Expected(3, largest), LogTesting.Expected(4, empty)], await log.ReadAll(from: 2));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => log.Append(LogTesting.Record(1, RecordFrame.MaxPayloadBytes + 1)));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => log.Append(empty with { Kind = RecordKind.Genesis }));
    }

    [Fact]
    public async Task A_reopened_log_goes_on_where_it_ended()
    {
        LogIdentity identity;
        await using (EmbeddedLog log = await LogTesting.Open(_folder))
        {
            identity = log.Identity;
            await log.AppendMany(0, 10);
        }

        for (int round = 1; round < 4; round++)
        {
            await using EmbeddedLog log = await LogTesting.Open(_folder);
            Assert.Equal(identity, log.Identity);
            Assert.Equal(new LogRange(1, (round * 10) + 2), log.Range);
            Assert.Null(log.Cut);
            await log.AppendMany(round * 10, 10);
        }

        await using EmbeddedLog last = await LogTesting.Open(_folder);
        Assert.Equal(
            Enumerable.Range(0, 40).Select(i => LogTesting.Expected(i + 2, LogTesting.Record(i))), await last.ReadAll(from: 2));
    }

    [Fact]
    public async Task A_follower_sees_what_was_and_what_comes_without_gap_or_repetition()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder, segmentBytes: 64 << 10);
        await log.AppendMany(0, 500, bytes: 500);
        Task<List<Seen>> following = log.Follow(from: 1, count: 2_001);
        await log.AppendMany(500, 1_500, bytes: 500);

        List<Seen> seen = await following.WaitAsync(LogTesting.Deadline);
        Assert.Equal(Enumerable.Range(1, 2_001).Select(i => (long)i), seen.Select(s => s.Position));
        Assert.Equal(Enumerable.Range(0, 2_000).Select(i => LogTesting.Expected(i + 2, LogTesting.Record(i, 500))), seen.Skip(1));
    }

    [Fact]
    public async Task A_follower_ends_when_cancelled_and_another_may_begin()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder);
        using CancellationTokenSource source = new();
        Task<List<Seen>> following = log.Follow(from: 1, count: int.MaxValue, source.Token);
        await log.AppendMany(0, 5);
        await Assert.ThrowsAsync<InvalidOperationException>(() => log.Follow(from: 1, count: 1));
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following.WaitAsync(LogTesting.Deadline));

        Assert.Equal(6, (await log.Follow(from: 1, count: 6).WaitAsync(LogTesting.Deadline)).Count);
    }

    [Fact]
    public async Task A_follower_gets_the_rest_when_the_log_closes()
    {
        EmbeddedLog log = await LogTesting.Open(_folder);
        Task<List<Seen>> following = log.Follow(from: 1, count: int.MaxValue);
        await log.AppendMany(0, 5);
        await log.DisposeAsync();

        Assert.Equal(6, (await following.WaitAsync(LogTesting.Deadline)).Count);
        Assert.Equal(AppendStatus.Unknown, (await log.AppendAsync(LogTesting.Record(1), Durability.Written, default)).Status);
    }

    [Fact]
    public async Task Log_time_never_falls_also_across_a_restart()
    {
        ManualTime time = new() { Now = DateTimeOffset.FromUnixTimeMilliseconds(5_000) };
        await using (EmbeddedLog log = await LogTesting.Open(_folder, time: time))
        {
            await log.AppendMany(0, 1);
            time.Now = DateTimeOffset.FromUnixTimeMilliseconds(4_000);
            await log.AppendMany(1, 1);
        }

        time.Now = DateTimeOffset.FromUnixTimeMilliseconds(1_000);
        await using EmbeddedLog again = await LogTesting.Open(_folder, time: time);
        await again.AppendMany(2, 1);
        time.Now = DateTimeOffset.FromUnixTimeMilliseconds(9_000);
        await again.AppendMany(3, 1);
        List<long> times = [];
        await foreach (LogSlice slice in again.ReadAsync(2, follow: false, default))
        {
            using (slice)
            {
                foreach (LoggedRecord record in slice)
                {
                    times.Add(record.TimeMs);
                }
            }
        }

        Assert.Equal([5_000, 5_000, 5_000, 9_000], times);
    }

    [Fact]
    public async Task Positions_outside_the_log_and_bad_options_are_refused()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder);
        Assert.Throws<ArgumentOutOfRangeException>(() => log.ReadAsync(0, follow: false, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.ReadAsync(3, follow: true, default));
        ArgumentOutOfRangeException error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => LogTesting.Open(_folder, segmentBytes: 100));
        Assert.Contains("SegmentBytes is 100; allowed 4096 to 4294967296", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_token_stops_an_append_before_it_is_queued()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await log.AppendAsync(LogTesting.Record(1), Durability.Written, new CancellationToken(canceled: true)));
        Assert.Equal(2, log.Range.Next);
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task Only_the_owner_may_read_the_files()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.Segments[0]));
    }
}
