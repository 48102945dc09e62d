using System.Collections.Concurrent;
using System.Text;
using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Increments;

namespace Sketch.Tests.Engine;

/// <summary>Expiry beside senders that look at a counter the moment before it is about to go, or is gone.</summary>
public sealed class ExpiryRaceTests
{
    private const int Counters = 40;
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(3);

    [Theory]
    [InlineData(Tier.Approximate, true)]
    [InlineData(Tier.Approximate, false)]
    [InlineData(Tier.Strong, true)]
    public async Task What_was_acknowledged_goes_only_with_a_counter_whose_lifetime_is_over(Tier tier, bool isTight)
    {
        await using Rig rig = await Rig.Open(tier, isTight: isTight);
        rig.Lifetime = Lifetime;
        ConcurrentBag<(long Position, string Name, long Delta)> acknowledged = [];
        using CancellationTokenSource done = new();
        Task[] senders = [.. Enumerable.Range(0, 3).Select(seed => Task.Run(() => SendAsync(rig, new Random(seed), acknowledged, done.Token)))];
        using CancellationTokenSource late = new(TimeSpan.FromMinutes(2));
        for (int round = 0; round < 60 || rig.Engine.Status.ExpiredCounters < 20; round++)
        {
            late.Token.ThrowIfCancellationRequested();
            rig.Time.Advance(TimeSpan.FromMilliseconds(1));
            await rig.Checkpoint();
            await rig.Expire();
        }

        await done.CancelAsync();
        await Task.WhenAll(senders);
        await rig.Checkpoint();
        Assert.All(
            acknowledged.GroupBy(a => a.Name),
            counter => Check(rig, counter.Key, [.. counter.Select(c => (c.Position, c.Delta))]));
    }

    private static async Task SendAsync(
        Rig rig, Random random, ConcurrentBag<(long Position, string Name, long Delta)> acknowledged, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            // Half of the counters come often, the others hardly ever.
            string name = $"c{(random.Next(30) == 0 ? random.Next(Counters) : random.Next(Counters / 2))}";
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            if (random.Next(4) == 0)
            {
                await Task.Yield(); // it was rented earlier than it is filled
            }

            Rejection? refused = random.Next(2) == 0
                ? batch.Add([CounterId.Of(Rig.Namespace, name)], [1], out _)
                : batch.Add(Encoding.UTF8.GetBytes(name), 1);
            if (refused is not null)
            {
                Assert.Equal("id", refused.Field); // there is no such counter now
                continue;
            }

            IncrementResult result = await rig.Engine.CommitAsync(batch, null, 0, CancellationToken.None);
            if (result.Status == IncrementStatus.Accepted)
            {
                acknowledged.Add((result.Position, name, 1));
            }
            else
            {
                Assert.Equal(IncrementStatus.Busy, result.Status); // it went meanwhile
            }
        }
    }

    /// <summary>Each window adds what was acknowledged in it, and may take away all that was before, if that is older than the lifetime.</summary>
    private static void Check(Rig rig, string name, (long Position, long Delta)[] acknowledged)
    {
        ulong id = CounterId.Of(Rig.Namespace, name);
        long total = 0;
        long newestMs = 0;
        foreach (Checkpoint window in rig.Store.Checkpoints)
        {
            (long Position, long Delta)[] within = [.. acknowledged.Where(a => a.Position >= window.From && a.Position <= window.To)];
            long sum = within.Sum(w => w.Delta);
            long delta = window.Deltas.Of(id);
            bool goesRightly = delta == sum - total && newestMs <= window.LastTimeMs - Lifetime.TotalMilliseconds;
            Assert.True(
                delta == sum || goesRightly,
                $"{name} changed by {delta} from {total} in the window from {window.From} to {window.To}, in which {sum} was acknowledged; the newest before was {window.LastTimeMs - newestMs} ms older");
            total = delta == sum ? total + sum : sum;
            newestMs = within.Length > 0 ? window.FirstTimeMs : newestMs;
        }

        Assert.Equal(total, rig.Store.Total(Rig.Namespace, name));
    }
}
