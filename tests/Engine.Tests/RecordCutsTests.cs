using Sketch.Engine.Reads;

namespace Sketch.Tests.Engine;

public sealed class RecordCutsTests
{
    private readonly long[] _counters = new long[2];
    private readonly RecordCuts _cuts = new();
    private int _looks;

    [Fact]
    public async Task Readers_beside_a_busy_fold_see_the_moment_between_two_records()
    {
        using CancellationTokenSource done = new();
        Task<long> fold = StartFold(done.Token);
        await Task.WhenAll(Enumerable.Range(0, 2).Select(reader => Task.Run(() =>
        {
            for (int read = 0; read < 50; read++)
            {
                Assert.Equal(0, _cuts.Look(byLuck: reader == 0, AheadOfTheFirst));
            }
        })));

        await done.CancelAsync();
        Assert.True(await fold > 100, $"{await fold} records");
    }

    // After a pause the fold runs for as long as it stood. A reader that comes then waits for that: it does not look in vain.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_read_of_many_counters_beside_a_busy_fold_looks_at_most_twice(bool byLuck)
    {
        using CancellationTokenSource done = new();
        Task<long> fold = StartFold(done.Token);
        const int Reads = 8;
        for (int read = 0; read < Reads; read++)
        {
            long paused = _cuts.Look(byLuck: false, () =>
            {
                Thread.Sleep(30);
                return Volatile.Read(ref _counters[0]);
            });
            UntilTheFoldRuns(paused);
            Assert.Equal(0, _cuts.Look(byLuck, AheadOfTheFirst));
        }

        await done.CancelAsync();
        await fold;
        // All together, since a reader that the machine interrupts for longer than the fold waits looks once more.
        Assert.InRange(_looks, Reads, 2 * Reads);
    }

    private Task<long> StartFold(CancellationToken done) =>
        Task.Factory.StartNew(() => Count(done), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    // Without sleep, which would miss the time in which the fold does not pause.
    private void UntilTheFoldRuns(long since)
    {
        long deadline = Environment.TickCount64 + 10_000;
        SpinWait wait = default;
        while (Volatile.Read(ref _counters[0]) == since)
        {
            Assert.True(Environment.TickCount64 < deadline, "The fold stands still.");
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    private long Count(CancellationToken done)
    {
        long records = 0;
        for (; !done.IsCancellationRequested; records++)
        {
            _cuts.Enter();
            Volatile.Write(ref _counters[0], records);
            Volatile.Write(ref _counters[^1], records);
            _cuts.Leave();
        }

        return records;
    }

    // By luck alone the first and the last would hardly ever be seen equal: the fold has the processor in between.
    private long AheadOfTheFirst()
    {
        Interlocked.Increment(ref _looks);
        long first = Volatile.Read(ref _counters[0]);
        Thread.Sleep(1);
        return Volatile.Read(ref _counters[^1]) - first;
    }
}
