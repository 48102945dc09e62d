using System.Collections.Concurrent;
using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>Appenders, a follower, readers and truncation at once, on real files.</summary>
public sealed class LogConcurrencyTests : IDisposable
{
    private const int Appenders = 8;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task All_that_was_acknowledged_is_read_once_by_everyone(int seed)
    {
        ConcurrentDictionary<long, Seen> acknowledged = new();
        List<Seen> followed;
        await using (EmbeddedLog log = await LogTesting.Open(_folder, segmentBytes: 256 << 10))
        {
            const int each = 250;
            Task<List<Seen>> following = Task.Run(() => log.Follow(from: 1, count: (Appenders * each) + 1));
            Task[] appending = [.. Enumerable.Range(0, Appenders).Select(a => Task.Run(() => AppendSome(log, new Random((seed * 100) + a), a, each, acknowledged)))];
            Task reading = Task.Run(async () =>
            {
                while (acknowledged.Count < Appenders * each)
                {
                    long next = log.Range.Next;
                    List<Seen> all = await log.ReadAll();
                    Assert.Equal(Enumerable.Range(1, all.Count).Select(i => (long)i), all.Select(record => record.Position));
                    Assert.InRange(all.Count, next - 1, long.MaxValue);
                }
            });
            await Task.WhenAll([.. appending, reading]).WaitAsync(LogTesting.Deadline);
            followed = await following.WaitAsync(LogTesting.Deadline);
        }

        List<Seen> expected = [.. acknowledged.Values.OrderBy(record => record.Position)];
        Assert.Equal(Appenders * 250, expected.Count);
        Assert.Equal(expected, followed.Skip(1));
        await using EmbeddedLog again = await LogTesting.Open(_folder);
        Assert.Equal(expected, await again.ReadAll(from: 2));

        // Of one caller that awaits each, the order is kept.
        Assert.All(expected.GroupBy(record => record.Sequence / 1_000_000), one => Assert.Equal(one.Select(record => record.Sequence).Order(), one.Select(record => record.Sequence)));
    }

    [Fact]
    public async Task Reading_and_truncating_at_once_never_shows_a_gap()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder, segmentBytes: 64 << 10);
        Task appending = Task.Run(() => log.AppendMany(0, 1_500, bytes: 1_000));
        int read = 0;
        while (!appending.IsCompleted)
        {
            LogRange range = log.Range;
            try
            {
                List<Seen> all = await log.ReadAll(range.First);
                Assert.Equal(range.First, all[0].Position);
                Assert.Equal(Enumerable.Range(0, all.Count).Select(i => i + range.First), all.Select(record => record.Position));
                read += all.Count;
            }
            catch (LogTruncatedException)
            {
                // Cut off meanwhile, which is what was asked for.
            }

            await log.TruncateBeforeAsync(range.Next - 100, default);
        }

        await appending;
        Assert.InRange(read, 1, int.MaxValue);
        Assert.Equal(1_502, log.Range.Next);
    }

    [Fact]
    public async Task Many_readers_at_any_position_read_the_same()
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder, segmentBytes: 2 << 20);
        await Task.WhenAll(Enumerable.Range(0, 6_000).Select(i => log.Append(LogTesting.Record(i, 1_500), Durability.Written)));
        List<Seen> all = await log.ReadAll();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(reader => Task.Run(async () =>
        {
            Random random = new(reader);
            for (int i = 0; i < 30; i++)
            {
                int from = random.Next(1, all.Count + 1);
                await using IAsyncEnumerator<LogSlice> slices = log.ReadAsync(from, follow: false, default).GetAsyncEnumerator();
                Assert.True(await slices.MoveNextAsync());
                using LogSlice slice = slices.Current;
                List<Seen> some = [];
                LogTesting.Collect(slice, some);
                Assert.Equal(all[(from - 1)..(from - 1 + some.Count)], some);
            }
        })));
    }

    private static async Task AppendSome(EmbeddedLog log, Random random, int appender, int count, ConcurrentDictionary<long, Seen> acknowledged)
    {
        for (int i = 0; i < count; i++)
        {
            LogRecord record = LogTesting.Record((appender * 1_000_000L) + i, random.Next(8, 4_000));
            Appended answer = await log.AppendAsync(record, random.Next(4) == 0 ? Durability.Flushed : Durability.Written, default);
            Assert.Equal(AppendStatus.Appended, answer.Status);
            Assert.True(acknowledged.TryAdd(answer.Position, LogTesting.Expected(answer.Position, record)));
        }
    }
}
