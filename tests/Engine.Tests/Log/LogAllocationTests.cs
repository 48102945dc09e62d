using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>Measures the whole process, so nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(LogAllocationTests), DisableParallelization = true)]
public sealed class Alone;

/// <summary>An append costs no garbage.</summary>
[Collection(nameof(LogAllocationTests))]
public sealed class LogAllocationTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Durability.Written)]
    [InlineData(Durability.Flushed)]
    public async Task An_append_allocates_nothing_once_the_pools_are_filled(Durability durability)
    {
        await using EmbeddedLog log = await LogTesting.Open(_folder, segmentBytes: 64 << 20);
        LogRecord record = LogTesting.Record(1, 100);
        await AppendMany(log, record, durability, 2_000);
        long least = long.MaxValue;
        for (int round = 0; round < 3; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await AppendMany(log, record, durability, 1_000);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        // The thread pool's own queues grow now and then; the smallest object for each append would be 24,000.
        Assert.InRange(least, 0, 12_000);
    }

    private static Task AppendMany(EmbeddedLog log, LogRecord record, Durability durability, int count) => Task.Run(async () =>
    {
        for (int i = 0; i < count; i++)
        {
            // Not an assertion, which would allocate.
            if ((await log.AppendAsync(record, durability, default).ConfigureAwait(false)).Status != AppendStatus.Appended)
            {
                throw new InvalidOperationException("not appended");
            }
        }
    });
}
