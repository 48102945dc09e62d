using Sketch.Engine.Totals;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// Counters out of memory that a window counted far more often than its others: they come back, so that what is popular now is at hand whatever was popular before, and their
/// increments are looked up where the others' are. What then is too much leaves by CLOCK.
/// </summary>
internal static class OftenCounted
{
    /// <summary>The most that come back with a window, of a namespace.</summary>
    public const int Most = 1_024;

    // So many times as much as a counter of the window gets on average. Below that, what comes in would be about as hot as what it puts out.
    private const int Times = 4;

    /// <summary>Their ids; the most counted of them if there are too many. Before the window is applied.</summary>
    /// <param name="table">The totals.</param>
    /// <param name="epoch">Their newest checkpoint.</param>
    /// <param name="run">A namespace's rows of the window.</param>
    public static ulong[] In(CounterTable table, long epoch, in DeltaRun run)
    {
        ReadOnlySpan<long> sums = run.Deltas.Span;

        // Not more than an eighth of memory: the next to come would put them out at once.
        int most = (int)Math.Min(Most, table.Capacity / 8);
        if (table.Cold == 0 || sums.IsEmpty || most == 0)
        {
            return [];
        }

        Int128 all = 0;
        foreach (long sum in sums)
        {
            all += Math.Max(0, sum);
        }

        long least = (long)Int128.Min(all * Times / sums.Length, long.MaxValue - 1) + 1;
        PriorityQueue<ulong, (long Sum, ulong Id)> often = new();
        for (int i = 0; i < sums.Length; i++)
        {
            ulong id = run.Ids.Span[i];
            if (sums[i] < least || table.At(id, epoch, out _))
            {
                continue;
            }

            if (often.Count < most)
            {
                often.Enqueue(id, (sums[i], id));
            }
            else
            {
                // From now on only who is counted as often as the least of them is looked up.
                often.EnqueueDequeue(id, (sums[i], id));
                _ = often.TryPeek(out _, out (long Sum, ulong Id) fewest);
                least = fewest.Sum;
            }
        }

        return [.. often.UnorderedItems.Select(item => item.Element)];
    }
}
