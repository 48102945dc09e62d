using Sketch.Engine.Catalogue;

namespace Sketch.Tests.Simulation.World;

/// <summary>
/// What a counter should be that was deleted whenever nobody incremented it for long, from what producers know and the store was given: each window adds what was
/// acknowledged in it, and may take away all that was before, but nothing that is younger than the lifetime. A deletion comes before all increments of its window.
/// </summary>
internal static class Lifetimes
{
    public static (long Least, long Most) SumOf(Key key, Ledger ledger, IReadOnlyList<StoredWindow> stored)
    {
        (long Position, long Delta)[] counted =
        [
            .. ledger.Batches.Where(b => b.Namespace == key.Namespace && b.State == SentState.Acknowledged)
                .SelectMany(b => b.Increments.Where(i => i.Name == key.Name).Select(i => (b.Position, i.Delta))),
        ];
        ulong id = CounterId.Of(key.Namespace, key.Name);
        long total = 0;
        long newestMs = 0;
        foreach (StoredWindow window in stored)
        {
            (long Position, long Delta)[] within = [.. counted.Where(c => c.Position >= window.From && c.Position <= window.To)];
            long sum = within.Sum(c => c.Delta);
            long delta = window.Deltas.Of(id);
            string what = $"{key.Namespace}/{key.Name} changed by {delta} from {total} in the window from {window.From} to {window.To}, in which {sum} was acknowledged";
            if (delta == sum)
            {
                total += delta;
            }
            else if (delta == sum - total && newestMs <= window.LastTimeMs - NodeProcess.Lifetime.TotalMilliseconds)
            {
                total = sum;
            }
            else
            {
                throw new Violation($"{what}; the newest before was of {window.LastTimeMs - newestMs} ms earlier");
            }

            newestMs = within.Length > 0 ? window.FirstTimeMs : newestMs;
        }

        return (total, total);
    }
}
