using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>A disk that is full says so and recovers; one that fails ends the log, and nothing is acknowledged that is not so.</summary>
public sealed class LogFaultTests
{
    private const string Folder = "/log";
    private readonly SimulatedDisk _disk = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_full_disk_refuses_appends_until_there_is_space(bool canPreallocate)
    {
        _disk.CanPreallocate = canPreallocate;
        List<Seen> expected = [];
        await using (EmbeddedLog log = await LogTesting.Open(Folder, segmentBytes: 16 << 10, _disk))
        {
            _disk.Free = 40_000;
            for (int i = 0; ; i++)
            {
                LogRecord record = LogTesting.Record(i, 1_000);
                Appended answer = await log.AppendAsync(record, Durability.Flushed, default);
                if (answer.Status != AppendStatus.Appended)
                {
                    Assert.Equal(new Appended(AppendStatus.NoSpace, 0), answer);
                    break;
                }

                expected.Add(LogTesting.Expected(answer.Position, record));
            }

            Assert.InRange(expected.Count, 10, 60);
            Assert.Equal(AppendStatus.NoSpace, (await log.AppendAsync(LogTesting.Record(1, 1_000), Durability.Written, default)).Status);
            Assert.Equal(expected, await log.ReadAll(from: 2));

            _disk.Free = long.MaxValue;
            for (int i = 500; i < 550; i++)
            {
                LogRecord record = LogTesting.Record(i, 1_000);
                expected.Add(LogTesting.Expected(await log.Append(record), record));
            }

            Assert.Equal(expected, await log.ReadAll(from: 2));
            Assert.False(log.Failed.IsCompleted);
        }

        await using EmbeddedLog again = await LogTesting.Open(Folder, segmentBytes: 16 << 10, _disk);
        Assert.Equal(expected, await again.ReadAll(from: 2));
    }

    [Fact]
    public async Task A_full_disk_leaves_the_last_bytes_that_fit_usable()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, segmentBytes: 1 << 20, _disk);
        await using EmbeddedLog other = await LogTesting.Open("/other", segmentBytes: 16 << 10, _disk);
        await other.AppendMany(0, 15, bytes: 1_000);
        _disk.Free = 3_000;

        // The next segment's whole size does not fit, its first record does.
        await other.AppendMany(15, 2, bytes: 1_000);
        Assert.Equal(AppendStatus.NoSpace, (await other.AppendAsync(LogTesting.Record(1, 2_000), Durability.Flushed, default)).Status);
    }

    [Theory]
    [InlineData("pwrite")]
    [InlineData("fdatasync")]
    [InlineData("fallocate")]
    [InlineData("open")]
    [InlineData("rename")]
    [InlineData("fsync")]
    public async Task An_error_ends_the_log_and_acknowledges_nothing_more(string failing)
    {
        EmbeddedLog log = await LogTesting.Open(Folder, segmentBytes: 8 << 10, _disk);
        await log.AppendMany(0, 3, bytes: 1_000);
        Task<List<Seen>> following = log.Follow(from: 1, count: int.MaxValue);
        int failures = 0;
        _disk.Fault = (call, _) => call == failing && Interlocked.Increment(ref failures) > 0 ? SimulatedDisk.Broken(call) : null;

        List<Appended> answers = [];
        for (int i = 3; i < 20; i++)
        {
            answers.Add(await log.AppendAsync(LogTesting.Record(i, 1_000), Durability.Flushed, default));
        }

        int good = answers.TakeWhile(answer => answer.Status == AppendStatus.Appended).Count();
        Assert.All(answers.Skip(good), answer => Assert.Equal(new Appended(AppendStatus.Unknown, 0), answer));
        Assert.InRange(good, 0, 8);
        Assert.Equal(1, failures);
        Assert.Contains(failing, (await Assert.ThrowsAsync<LogDiskException>(() => log.Failed.WaitAsync(LogTesting.Deadline))).Message, StringComparison.Ordinal);
        Assert.IsType<LogDiskException>((await Assert.ThrowsAsync<IOException>(() => following.WaitAsync(LogTesting.Deadline))).InnerException);
        _disk.Fault = null;
        Assert.Equal(AppendStatus.Unknown, (await log.AppendAsync(LogTesting.Record(1), Durability.Written, default)).Status);
        Assert.InRange((await log.ReadAll()).Count, good + 4, good + 5);
        await log.DisposeAsync();

        await using EmbeddedLog again = await LogTesting.Open(Folder, segmentBytes: 8 << 10, _disk.LosePower(new Random(1)));
        List<Seen> left = await again.ReadAll(from: 2);
        Assert.InRange(left.Count, good + 3, good + 4);
        Assert.Equal(Enumerable.Range(0, left.Count).Select(i => LogTesting.Expected(i + 2, LogTesting.Record(i, 1_000))), left);
    }

    [Fact]
    public async Task A_sync_that_ran_out_of_space_is_a_failure_too()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, disk: _disk);
        _disk.Fault = (call, _) => call == "fdatasync" ? new LogDiskException("fdatasync failed: No space left on device", DiskFault.NoSpace) : null;

        Assert.Equal(AppendStatus.Unknown, (await log.AppendAsync(LogTesting.Record(1), Durability.Flushed, default)).Status);
        await Assert.ThrowsAsync<LogDiskException>(() => log.Failed.WaitAsync(LogTesting.Deadline));
    }

    [Fact]
    public async Task All_who_wait_hear_of_a_failed_sync()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, disk: _disk);
        _disk.HoldSyncs();
        Task<Appended> first = log.AppendAsync(LogTesting.Record(0), Durability.Flushed, default).AsTask();
        await Until.True(() => _disk.HeldSyncs == 1);
        Task<Appended>[] queued = [.. Enumerable.Range(1, 50).Select(i => log.AppendAsync(LogTesting.Record(i), Durability.Flushed, default).AsTask())];
        _disk.Fault = (call, _) => call == "fdatasync" ? SimulatedDisk.Broken(call) : null;
        _disk.ReleaseSyncs();

        Assert.All(await Task.WhenAll([first, .. queued]).WaitAsync(LogTesting.Deadline), answer => Assert.Equal(AppendStatus.Unknown, answer.Status));
    }

    [Fact]
    public async Task A_failed_start_says_which_call_on_which_file()
    {
        _disk.Fault = (call, _) => call == "fdatasync" ? SimulatedDisk.Broken(call) : null;
        await Assert.ThrowsAsync<LogDiskException>(() => LogTesting.Open(Folder, disk: _disk));
        _disk.Fault = null;

        // What the failed start left is no obstacle.
        await using EmbeddedLog log = await LogTesting.Open(Folder, disk: _disk);
        Assert.Equal(new LogRange(1, 2), log.Range);
    }
}
