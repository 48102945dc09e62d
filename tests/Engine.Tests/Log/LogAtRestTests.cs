using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>Appends that come one at a time: what happens where the caller is, and when the disk is asked to sync.</summary>
public sealed class LogAtRestTests
{
    private const string Syncer = "log syncer";
    private readonly SimulatedDisk _disk = new();
    private readonly ManualTime _time = new();
    private readonly ManualWorkers _workers = new();

    [Fact]
    public async Task A_small_batch_is_written_and_taken_in_within_the_call()
    {
        EmbeddedLog log = await Open();
        await using IAsyncEnumerator<LogSlice> follower = log.ReadAsync(log.Range.Next, follow: true, default).GetAsyncEnumerator();
        ValueTask<bool> moving = follower.MoveNextAsync();
        Assert.False(moving.IsCompleted);

        ValueTask<Appended> append = log.AppendAsync(LogTesting.Record(1), Durability.Written, default);
        Assert.True(append.IsCompletedSuccessfully);
        Assert.Equal(new Appended(AppendStatus.Appended, 2), await append);
        Assert.True(moving.IsCompletedSuccessfully && await moving);
        Assert.Equal(2, follower.Current.First);
        follower.Current.Dispose();
        await Close(log);
    }

    [Theory]
    [InlineData(RecordKind.Increments, 5_000)]
    [InlineData(RecordKind.Definition, 40)]
    [InlineData(RecordKind.Removal, 40)]
    [InlineData(RecordKind.Marker, 40)]
    public async Task Anything_else_is_written_by_the_writer(RecordKind kind, int bytes)
    {
        EmbeddedLog log = await Open();
        ValueTask<Appended> append = log.AppendAsync(LogTesting.Record(1, bytes) with { Kind = kind }, Durability.Written, default);
        Assert.Equal(2, log.Range.Next);
        _workers.Run("log writer");
        Assert.Equal(3, log.Range.Next);
        Assert.Equal(new Appended(AppendStatus.Appended, 2), await append);
        await Close(log);
    }

    [Fact]
    public async Task No_caller_makes_a_segment()
    {
        EmbeddedLog log = await Open(segmentBytes: 4 << 10);
        long number = 0;
        ValueTask<Appended> append;
        while ((append = log.AppendAsync(LogTesting.Record(++number, 500), Durability.Written, default)).IsCompletedSuccessfully)
        {
            await append;
            _workers.Run(Syncer);
        }

        Assert.InRange(number, 6, 8);
        Assert.Single(_disk.Paths);
        await _workers.RunUntil(append.AsTask());
        Assert.Equal(2, _disk.Paths.Length);
        await Close(log);
    }

    [Fact]
    public async Task A_follower_goes_on_elsewhere_when_more_comes_than_it_was_woken_for()
    {
        EmbeddedLog log = await Open();
        List<Thread> threads = [];
        Task following = FollowTwo();
        Thread? caller = null;
        await OnThread(() =>
        {
            // The thread is not free for anything else until the follower has had both.
            caller = Thread.CurrentThread;
            Task<Appended> append = log.AppendAsync(LogTesting.Record(1), Durability.Written, default).AsTask();
            Assert.True(append.IsCompletedSuccessfully && following.Wait(LogTesting.Deadline));
        });
        await following;
        Assert.Equal(2, threads.Count);
        Assert.Same(caller, threads[0]);
        Assert.NotSame(caller, threads[1]);
        await Close(log);

        async Task FollowTwo()
        {
            await foreach (LogSlice slice in log.ReadAsync(log.Range.Next, follow: true, default).ConfigureAwait(false))
            {
                slice.Dispose();
                threads.Add(Thread.CurrentThread);
                if (threads.Count == 2)
                {
                    break;
                }

                // Not awaited: this is the follower.
                _ = log.AppendAsync(LogTesting.Record(2), Durability.Written, default).AsTask();
            }
        }
    }

    [Fact]
    public async Task A_follower_never_waits_for_a_callers_context()
    {
        EmbeddedLog log = await Open();
        Task following = FollowThree();
        Recorder context = new();
        await OnThread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(context);
            for (int i = 0; i < 3; i++)
            {
                Assert.True(log.AppendAsync(LogTesting.Record(i), Durability.Written, default).AsTask().Wait(LogTesting.Deadline));
            }
        });
        await following.WaitAsync(LogTesting.Deadline);
        Assert.Equal(0, context.Posts);
        await Close(log);

        async Task FollowThree()
        {
            int seen = 0;
            await foreach (LogSlice slice in log.ReadAsync(log.Range.Next, follow: true, default).ConfigureAwait(false))
            {
                slice.Dispose();
                if (++seen == 3)
                {
                    break;
                }
            }
        }
    }

    [Fact]
    public async Task A_full_disk_is_told_within_the_call_and_a_broken_one_ends_the_log()
    {
        EmbeddedLog log = await Open();
        _disk.Fault = (call, _) => call == "pwrite" ? new LogDiskException("full", DiskFault.NoSpace) : null;
        ValueTask<Appended> refused = log.AppendAsync(LogTesting.Record(1), Durability.Written, default);
        Assert.True(refused.IsCompletedSuccessfully);
        Assert.Equal(new Appended(AppendStatus.NoSpace, 0), await refused);

        _disk.Fault = (call, _) => call == "pwrite" ? SimulatedDisk.Broken(call) : null;
        Task<Appended> failed = log.AppendAsync(LogTesting.Record(2), Durability.Written, default).AsTask();
        Assert.False(failed.IsCompleted);
        await _workers.RunUntil(failed);
        Assert.Equal(new Appended(AppendStatus.Unknown, 0), await failed);
        Assert.Contains("pwrite failed", (await Assert.ThrowsAsync<LogDiskException>(() => log.Failed)).Message, StringComparison.Ordinal);
        await Close(log);
    }

    [Fact]
    public async Task What_nobody_waits_for_is_synced_with_what_comes_within_two_milliseconds()
    {
        EmbeddedLog log = await Open();
        int before = _disk.Syncs;
        await log.AppendAsync(LogTesting.Record(1), Durability.Written, default);
        _workers.Run(Syncer);
        Assert.Equal(before, _disk.Syncs);
        Assert.Equal(TimeSpan.FromMilliseconds(2), _workers.WakesAfter(Syncer));

        _time.Now += TimeSpan.FromMilliseconds(1.5);
        await log.AppendAsync(LogTesting.Record(2), Durability.Written, default);
        _workers.Run(Syncer);
        Assert.Equal(before, _disk.Syncs);

        _time.Now += TimeSpan.FromMilliseconds(0.5);
        WakeSyncer();
        Assert.Equal(before + 1, _disk.Syncs);
        Assert.Equal(3, (await log.ReadAll()).Count);

        // It looks again once more, and then sleeps until something is written.
        _time.Now += TimeSpan.FromMilliseconds(2);
        WakeSyncer();
        Assert.Null(_workers.WakesAfter(Syncer));
        await log.AppendAsync(LogTesting.Record(3), Durability.Written, default);
        _workers.Run(Syncer);
        Assert.Equal(TimeSpan.FromMilliseconds(2), _workers.WakesAfter(Syncer));
        Assert.Equal(before + 1, _disk.Syncs);
        await Close(log);
    }

    [Fact]
    public async Task What_somebody_waits_for_is_synced_at_once()
    {
        EmbeddedLog log = await Open();
        await log.AppendAsync(LogTesting.Record(1), Durability.Written, default);
        int before = _disk.Syncs;
        ValueTask<Appended> flushed = log.AppendAsync(LogTesting.Record(2), Durability.Flushed, default);
        Assert.False(flushed.IsCompleted);
        _workers.Run(Syncer);
        Assert.Equal(before + 1, _disk.Syncs);
        Assert.Equal(new Appended(AppendStatus.Appended, 3), await flushed);

        // So is what a reader wants to keep.
        await log.AppendAsync(LogTesting.Record(3), Durability.Written, default);
        Task<List<Seen>> reading = log.ReadAll();
        _workers.Run(Syncer);
        Assert.Equal(before + 2, _disk.Syncs);
        Assert.Equal(4, (await reading.WaitAsync(LogTesting.Deadline)).Count);
        await Close(log);
    }

    private static Task OnThread(Action act) =>
        Task.Factory.StartNew(act, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private async Task<EmbeddedLog> Open(long segmentBytes = 1 << 20)
    {
        Task<EmbeddedLog> opening = EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions { Folder = "/log", SegmentBytes = segmentBytes, Disk = _disk, Workers = _workers }, _time, default);
        EmbeddedLog log = await opening.WaitAsync(LogTesting.Deadline);
        _workers.Run("log writer");
        _workers.Run(Syncer);
        return log;
    }

    private void WakeSyncer()
    {
        Assert.NotNull(_workers.WakesAfter(Syncer));
        _workers.WakeUp(Syncer);
    }

    private Task Close(EmbeddedLog log) => _workers.RunUntil(log.DisposeAsync().AsTask());

    private sealed class Recorder : SynchronizationContext
    {
        private int _posts;

        public int Posts => Volatile.Read(ref _posts);

        public override void Post(SendOrPostCallback d, object? state)
        {
            Interlocked.Increment(ref _posts);
            base.Post(d, state);
        }
    }
}
