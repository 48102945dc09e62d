using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>What an append waits for, and what happens when the disk or the follower is slower than the appenders.</summary>
public sealed class LogGroupTests
{
    private const string Folder = "/log";
    private readonly SimulatedDisk _disk = new();

    [Fact]
    public async Task Written_is_answered_before_the_sync_and_flushed_after_it()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, disk: _disk);
        _disk.HoldSyncs();
        Task<Appended> flushed = log.AppendAsync(LogTesting.Record(0), Durability.Flushed, default).AsTask();
        await Until.True(() => _disk.HeldSyncs == 1);
        Assert.Equal(3, log.Range.Next);
        Assert.False(flushed.IsCompleted);

        // A follower sees it at once; whoever reads to keep what he reads waits until it is durable.
        Assert.Equal(2, (await log.Follow(from: 1, count: 2).WaitAsync(LogTesting.Deadline)).Count);
        Task<List<Seen>> reading = log.ReadAll();
        Assert.False(reading.IsCompleted);
        _disk.ReleaseSyncs();
        Assert.Equal(2, (await reading.WaitAsync(LogTesting.Deadline)).Count);
        Assert.Equal(new Appended(AppendStatus.Appended, 2), await flushed);

        _disk.HoldSyncs();
        Task<Appended> written = log.AppendAsync(LogTesting.Record(1), Durability.Written, default).AsTask();
        Assert.Equal(new Appended(AppendStatus.Appended, 3), await written.WaitAsync(LogTesting.Deadline));
        _disk.ReleaseSyncs();
    }

    [Fact]
    public async Task What_was_only_written_is_synced_without_another_append()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, disk: _disk);
        int before = _disk.Syncs;
        await log.Append(LogTesting.Record(0), Durability.Written);
        await Until.True(() => _disk.Syncs > before);
    }

    [Fact]
    public async Task Appends_that_come_during_a_sync_share_the_next_one()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, disk: _disk);
        _disk.HoldSyncs();
        Task first = log.Append(LogTesting.Record(0));
        await Until.True(() => _disk.HeldSyncs == 1);
        int before = _disk.Syncs;
        Task<long>[] others = [.. Enumerable.Range(1, 200).Select(i => log.Append(LogTesting.Record(i)))];
        _disk.ReleaseSyncs();
        await first;
        Assert.Equal(Enumerable.Range(3, 200).Select(i => (long)i), await Task.WhenAll(others));
        Assert.InRange(_disk.Syncs - before, 2, 3);
    }

    [Fact]
    public async Task Written_goes_on_during_a_sync_until_something_is_unsynced_for_too_long()
    {
        ManualTime time = new();
        await using EmbeddedLog log = await LogTesting.Open(Folder, disk: _disk, time: time);
        _disk.HoldSyncs();
        await log.Append(LogTesting.Record(0), Durability.Written);
        time.Now += TimeSpan.FromMilliseconds(2);
        await Until.True(() => _disk.HeldSyncs == 1);
        await log.AppendMany(1, 20, durability: Durability.Written);

        time.Now += TimeSpan.FromMilliseconds(4);
        Task<long> late = log.Append(LogTesting.Record(21), Durability.Written);
        Task<long> later = log.Append(LogTesting.Record(22), Durability.Written);
        await Task.WhenAny(late, Task.Delay(50));
        Assert.False(late.IsCompleted);
        _disk.ReleaseSyncs();
        Assert.Equal(23, await late);
        Assert.Equal(24, await later);
    }

    [Fact]
    public async Task A_full_queue_answers_busy_at_once_and_takes_more_once_it_has_drained()
    {
        ManualTime time = new();
        await using EmbeddedLog log = await EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions { Folder = Folder, Disk = _disk, MaxQueuedRecords = 10, MaxQueuedBytes = 1_000 }, time, default);
        Task<long> first = await StopWriting(log, time);
        List<Task<Appended>> answers = [.. Enumerable.Range(0, 20).Select(i => log.AppendAsync(LogTesting.Record(i, 8), Durability.Flushed, default).AsTask())];
        Assert.All(answers.Take(10), answer => Assert.False(answer.IsCompleted));
        Assert.All(answers.Skip(10), answer => Assert.Equal(new Appended(AppendStatus.Busy, 0), answer.Result));
        _disk.ReleaseSyncs();
        Assert.All(await Task.WhenAll(answers.Take(10)), answer => Assert.Equal(AppendStatus.Appended, answer.Status));
        await first;

        // The same by bytes; a record that is larger than the bound may wait alone.
        Task<long> another = await StopWriting(log, time);
        Task<long> large = log.Append(LogTesting.Record(0, 5_000));
        Assert.Equal(AppendStatus.Busy, (await log.AppendAsync(LogTesting.Record(0, 8), Durability.Flushed, default)).Status);
        _disk.ReleaseSyncs();
        Assert.Equal(await another + 1, await large);
    }

    /// <summary>Holds the sync of one append for so long that the writer pauses.</summary>
    private async Task<Task<long>> StopWriting(EmbeddedLog log, ManualTime time)
    {
        _disk.HoldSyncs();
        Task<long> append = log.Append(LogTesting.Record(0));
        await Until.True(() => _disk.HeldSyncs == 1);
        time.Now += TimeSpan.FromSeconds(1);
        return append;
    }

    [Fact]
    public async Task A_follower_that_does_not_take_holds_appends_back_and_then_gets_all()
    {
        await using EmbeddedLog log = await EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions { Folder = Folder, Disk = _disk, MaxQueuedRecords = 4 }, TimeProvider.System, default);
        await using IAsyncEnumerator<LogSlice> follower = log.ReadAsync(1, follow: true, default).GetAsyncEnumerator();
        List<Seen> seen = [];
        Assert.True(await follower.MoveNextAsync());
        LogTesting.Collect(follower.Current, seen);
        follower.Current.Dispose();
        ValueTask<bool> moving = follower.MoveNextAsync();

        List<Task<Appended>> taken = [];
        for (int i = 0; ; i++)
        {
            Assert.True(i < 10_000);
            Task<Appended> answer = log.AppendAsync(LogTesting.Record(i), Durability.Written, default).AsTask();

            // One at a time while the writer gets there; once it waits for the follower, these stay in the queue.
            await Task.WhenAny(answer, Task.Delay(200));
            if (answer.IsCompleted && (await answer).Status == AppendStatus.Busy)
            {
                break;
            }

            taken.Add(answer);
        }

        Assert.InRange(taken.Count(answer => !answer.IsCompleted), 1, 5);
        while (seen.Count < taken.Count + 1)
        {
            Assert.True(await moving);
            LogTesting.Collect(follower.Current, seen);
            follower.Current.Dispose();
            moving = seen.Count < taken.Count + 1 ? follower.MoveNextAsync() : default;
        }

        Assert.All(await Task.WhenAll(taken), answer => Assert.Equal(AppendStatus.Appended, answer.Status));
        Assert.Equal(Enumerable.Range(1, taken.Count + 1).Select(i => (long)i), seen.Select(s => s.Position));
    }

    [Fact]
    public async Task What_follows_an_append_never_runs_on_the_writers_thread()
    {
        await using EmbeddedLog log = await LogTesting.Open(Folder, disk: _disk);
        Assert.DoesNotContain("log writer", await Task.Run(() => ThreadsAfterAppends(log)));
    }

    private static async Task<List<string?>> ThreadsAfterAppends(EmbeddedLog log)
    {
        List<string?> threads = [];
        for (int i = 0; i < 200; i++)
        {
            await log.AppendAsync(LogTesting.Record(i), i % 2 == 0 ? Durability.Flushed : Durability.Written, default).ConfigureAwait(false);
            threads.Add(Thread.CurrentThread.Name);
        }

        return threads;
    }

    [Fact]
    public async Task Closing_writes_and_syncs_what_is_queued()
    {
        EmbeddedLog log = await LogTesting.Open(Folder, disk: _disk);
        Task<long>[] appends = [.. Enumerable.Range(0, 500).Select(i => log.Append(LogTesting.Record(i), i % 2 == 0 ? Durability.Written : Durability.Flushed))];
        await log.DisposeAsync();
        await Task.WhenAll(appends).WaitAsync(LogTesting.Deadline);
        await log.DisposeAsync();

        await using EmbeddedLog again = await LogTesting.Open(Folder, disk: _disk.LosePower(new Random(1)));
        Assert.Equal(502, again.Range.Next);
    }
}
