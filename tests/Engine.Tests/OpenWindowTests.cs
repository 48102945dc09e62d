using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Tests.Engine.Log;

namespace Sketch.Tests.Engine;

/// <summary>A window is added up while it is open, so that little of it is left to read when it ends.</summary>
public sealed class OpenWindowTests
{
    [Fact]
    public async Task What_an_open_window_holds_is_read_as_it_comes_and_each_record_once()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate, isTight: true);
        ReadingLog? log = null;
        rig.WrapLog = inner => log = new ReadingLog(inner);
        await rig.Restart();
        for (int i = 1; i <= 5; i++)
        {
            await rig.Add("a", i);
            await Until.True(() => log!.ReadTo == log.Range.Next - 1);
        }

        Assert.Equal(0, rig.Store.Total(Rig.Namespace, "a"));

        await rig.Checkpoint();

        Assert.Equal(15, rig.Store.Total(Rig.Namespace, "a"));
        Assert.Equal(15, rig.Read("a")!.Value);
        Assert.Equal(log!.Range.Next - log.ReadFrom, log.Records);
    }

    [Fact]
    public async Task A_window_whose_end_is_read_before_readers_know_of_it_is_stored_once_they_do()
    {
        await using Rig rig = await Rig.Open(Tier.Eventual, isTight: true);
        TaskCompletionSource read = new();
        TaskCompletionSource follow = new();
        ReadingLog? log = null;
        rig.WrapLog = inner => log = new ReadingLog(inner) { ReadWait = read.Task };
        await rig.Restart();
        await rig.Add("a", 1); // wakes the checkpointer, which waits to read
        log!.FollowWait = follow.Task;
        Task<IncrementResult> second = rig.Add("a", 10);
        Task checkpoint = rig.Checkpoint();
        await Until.True(() => log.Marker > 0);

        read.SetResult();
        await Until.True(() => log.ReadTo == log.Marker);
        Assert.Equal((0, false), (rig.Store.Checkpoints.Count(c => c.Increments > 0), second.IsCompleted));

        follow.SetResult();
        await second;
        await checkpoint;
        Assert.Equal(11, rig.Store.Total(Rig.Namespace, "a"));
        Assert.Equal(2, Assert.Single(rig.Store.Checkpoints, c => c.Increments > 0).Increments);
        await rig.Add("a", 100);
        await rig.Checkpoint();
        Assert.Equal(111, rig.Store.Total(Rig.Namespace, "a"));
    }

    /// <summary>Remembers what is read of a log without following it.</summary>
    private sealed class ReadingLog(IIncrementLog inner) : IIncrementLog
    {
        private long _readTo;
        private long _records;
        private long _marker;

        /// <summary>Reads that don't follow wait for it.</summary>
        public Task ReadWait { get; init; } = Task.CompletedTask;

        /// <summary>Who follows gets nothing before it.</summary>
        public Task FollowWait { get; set; } = Task.CompletedTask;

        /// <summary>Where the last marker is.</summary>
        public long Marker => Volatile.Read(ref _marker);

        public long ReadFrom { get; private set; }

        public long ReadTo => Volatile.Read(ref _readTo);

        public long Records => Volatile.Read(ref _records);

        public LogIdentity Identity => inner.Identity;

        public LogRange Range => inner.Range;

        public Task Failed => inner.Failed;

        public async ValueTask<Appended> AppendAsync(LogRecord record, Durability durability, CancellationToken cancellationToken)
        {
            Appended appended = await inner.AppendAsync(record, durability, cancellationToken);
            if (record.Kind == RecordKind.Marker)
            {
                Volatile.Write(ref _marker, appended.Position);
            }

            return appended;
        }

        public IAsyncEnumerable<LogSlice> ReadAsync(long from, bool follow, CancellationToken cancellationToken) =>
            follow ? Followed(from, cancellationToken) : Watched(from, cancellationToken);

        public ValueTask TruncateBeforeAsync(long position, CancellationToken cancellationToken) => inner.TruncateBeforeAsync(position, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private async IAsyncEnumerable<LogSlice> Followed(
            long from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (LogSlice slice in inner.ReadAsync(from, follow: true, cancellationToken))
            {
                await FollowWait.WaitAsync(cancellationToken);
                yield return slice;
            }
        }

        private async IAsyncEnumerable<LogSlice> Watched(
            long from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await ReadWait.WaitAsync(cancellationToken);
            ReadFrom = ReadFrom == 0 ? from : ReadFrom;
            await foreach (LogSlice slice in inner.ReadAsync(from, follow: false, cancellationToken))
            {
                Interlocked.Add(ref _records, slice.Next - slice.First);
                Volatile.Write(ref _readTo, slice.Next - 1);
                yield return slice;
            }
        }
    }
}
