using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;

namespace Sketch.Tests.Engine;

/// <summary>What is done millions of times a second leaves nothing for the garbage collector.</summary>
[Collection(nameof(HotPathTests))]
public sealed class HotPathTests
{
    private const int Counters = 500;

    [Fact]
    public async Task An_increment_in_columns_is_counted_without_allocating_on_any_thread()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        ulong[] ids = [.. Enumerable.Range(0, Counters).Select(i => CounterId.Of(Rig.Namespace, $"c{i}"))];
        long[] deltas = [.. Enumerable.Repeat(1L, Counters)];
        Assert.Equal(IncrementStatus.Accepted, (await rig.Send("p", 1, [.. Enumerable.Range(0, Counters).Select(i => ($"c{i}", 1L))])).Status);

        // Of all threads: the log's, the fold's and the callers'. What the runtime does once, such as compiling anew, is in some rounds and not in others.
        const int Rounds = 10, Batches = 1_000;
        long sequence = 1;
        long least = long.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < Batches; i++)
            {
                using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
                Assert.Null(batch.Add(ids, deltas, out _));
                IncrementResult result = await rig.Engine.CommitAsync(batch, "p", ++sequence, CancellationToken.None);
                Assert.Equal(IncrementStatus.Accepted, result.Status);
            }

            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        // Here each batch is a group of the log of its own, and what a group costs (its slice, hand-overs to the pool) is a few small objects. One object an increment would be 12,000 bytes.
        Assert.InRange(least / Batches, 0, 2 * Counters);
    }
}

/// <summary>Alone: it measures the whole process.</summary>
[CollectionDefinition(nameof(HotPathTests), DisableParallelization = true)]
public sealed class HotPathCollection;
