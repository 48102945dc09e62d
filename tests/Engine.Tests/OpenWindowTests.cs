using Sketch.Engine.Catalogue;
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
    public async Task Windows_that_end_while_the_store_is_away_are_stored_in_their_order_when_it_is_back()
    {
        await using Rig rig = await Rig.Open(Tier.Eventual, isTight: true);
        TaskCompletionSource back = new();
        rig.Store.StoreWait = back.Task;
        List<Task> checkpoints = [];
        for (int window = 1; window <= 4; window++)
        {
            await rig.Add("a", 1);
            await rig.Add("b", 10);
            checkpoints.Add(rig.Checkpoint());
            await Until.True(() => rig.Engine.Status.OpenWindows == window + 1);
        }

        back.SetResult();
        await Task.WhenAll(checkpoints);

        Assert.Equal((4, 40), (rig.Store.Total(Rig.Namespace, "a"), rig.Store.Total(Rig.Namespace, "b")));
        Assert.Equal(4, rig.Store.Checkpoints.Count(c => c.Increments == 2));
        Assert.Equal(rig.Store.Checkpoints.Select(c => c.To), rig.Store.Checkpoints.Select(c => c.To).Order());
    }

    /// <summary>Remembers what is read of a log without following it.</summary>
    private sealed class ReadingLog(IIncrementLog inner) : IIncrementLog
    {
        private long _readTo;
        private long _records;

        public long ReadFrom { get; private set; }

        public long ReadTo => Volatile.Read(ref _readTo);

        public long Records => Volatile.Read(ref _records);

        public LogIdentity Identity => inner.Identity;

        public LogRange Range => inner.Range;

        public Task Failed => inner.Failed;

        public ValueTask<Appended> AppendAsync(LogRecord record, Durability durability, CancellationToken cancellationToken) =>
            inner.AppendAsync(record, durability, cancellationToken);

        public IAsyncEnumerable<LogSlice> ReadAsync(long from, bool follow, CancellationToken cancellationToken) =>
            follow ? inner.ReadAsync(from, follow, cancellationToken) : Watched(from, cancellationToken);

        public ValueTask TruncateBeforeAsync(long position, CancellationToken cancellationToken) => inner.TruncateBeforeAsync(position, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private async IAsyncEnumerable<LogSlice> Watched(
            long from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
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
