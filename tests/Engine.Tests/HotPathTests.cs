using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;

namespace Sketch.Tests.Engine;

/// <summary>What is done millions of times a second leaves nothing for the garbage collector.</summary>
[Collection(nameof(HotPathTests))]
public sealed class HotPathTests
{
    private const int Counters = 500;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_increment_in_columns_is_counted_without_allocating_on_any_thread(bool byNumber)
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        ulong[] ids = [.. Enumerable.Range(0, Counters).Select(i => CounterId.Of(Rig.Namespace, $"c{i}"))];
        long[] deltas = [.. Enumerable.Repeat(1L, Counters)];
        Assert.Equal(IncrementStatus.Accepted, (await rig.Send("p", 1, [.. Enumerable.Range(0, Counters).Select(i => ($"c{i}", 1L))])).Status);

        NumberedNames names = new();
        int[] numbers = [.. Enumerable.Range(0, Counters)];
        using (IncrementBatch naming = rig.Engine.RentBatch(Rig.Namespace)!)
        {
            Assert.All(numbers, i => Assert.Null(naming.Declare(System.Text.Encoding.UTF8.GetBytes($"c{i}"), names)));
        }

        // Of all threads: the log's, the fold's and the callers'. What the runtime does once, such as compiling anew, is in some rounds and not in others.
        const int Rounds = 10, Batches = 1_000;
        long sequence = 1;
        long least = long.MaxValue;
        int accepted = 0;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < Batches; i++)
            {
                using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
                Rejection? refused = byNumber ? batch.Add(names, numbers, deltas, out _) : batch.Add(ids, deltas, out _);
                IncrementResult result = await rig.Engine.CommitAsync(batch, "p", ++sequence, CancellationToken.None);
                accepted += refused is null && result.Status == IncrementStatus.Accepted ? 1 : 0; // an assertion here would allocate itself
            }

            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.Equal(Rounds * Batches, accepted);
        // Here each batch is a group of the log of its own, too. The node's clocks go on meanwhile, some hundred bytes a round; the smallest object for each batch would be 24,000.
        Assert.InRange(least, 0, 6 * Batches);
    }
}

/// <summary>Alone: it measures the whole process.</summary>
[CollectionDefinition(nameof(HotPathTests), DisableParallelization = true)]
public sealed class HotPathCollection;
