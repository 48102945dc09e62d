using System.Text;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;
using Sketch.Engine.Reads;

namespace Sketch.Tests.Engine;

/// <summary>Many counters are read as of one position, whatever is counted meanwhile.</summary>
public sealed class OnePositionTests
{
    private const int Rounds = 40;

    // Few are read by luck, many while the fold pauses.
    [Theory]
    [InlineData(Tier.Strong, 50, false)]
    [InlineData(Tier.Eventual, 50, false)]
    [InlineData(Tier.Eventual, 50, true)]
    [InlineData(Tier.Eventual, 500, true)]
    public async Task Parts_and_their_total_agree_in_every_read_while_they_are_counted(Tier tier, int parts, bool withTop)
    {
        // The total is looked at first and the parts after it: without a cut they would be ahead of it.
        string[] names = ["total", .. Enumerable.Range(0, parts).Select(i => $"part{i}")];
        await using Rig rig = await Rig.Open(tier);
        await CountAsync(rig, names, rounds: 1);
        using CancellationTokenSource done = new();
        int reads = 0;
        Task[] readers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                CounterCut cut = rig.Engine.Cut(Rig.Namespace, names, withTop ? 10 : 0, 0.99);
                Assert.Equal(cut.Values[0]!.Value, cut.Values.Skip(1).Sum(v => v!.Value));
                Assert.True(!withTop || (cut.Heaviest[0].Name == "total" && cut.Heaviest[0].Value == cut.Values[0]!.Value));
                Interlocked.Increment(ref reads);
            }
        }))];

        for (int window = 0; window < 6 || Volatile.Read(ref reads) < 10_000 / parts; window++)
        {
            await Task.WhenAll(CountAsync(rig, names, Rounds), CountAsync(rig, names, Rounds));
            await rig.Checkpoint();
        }

        await done.CancelAsync();
        await Task.WhenAll(readers);
    }

    [Fact]
    public async Task Elements_and_sums_of_one_batch_are_seen_together()
    {
        await using Rig rig = await Rig.Open(Tier.Eventual);
        Assert.Null(await rig.Engine.DefineCounterAsync(Rig.Namespace, new CounterDefinition("visitors", CounterKind.Distinct), default));
        using CancellationTokenSource done = new();
        int reads = 0;
        Task reader = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                IReadOnlyList<CounterValue?> values = rig.Engine.Read(Rig.Namespace, ["views", "visitors"], 0.99);
                Assert.Equal(values[0]?.Value ?? 0, values[1]!.Value);
                Interlocked.Increment(ref reads);
            }
        });
        for (int i = 0; i < 200 || Volatile.Read(ref reads) < 200; i++)
        {
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            for (int visitor = 0; visitor < 20; visitor++)
            {
                Assert.Null(batch.Add("views"u8, 1));
                Assert.Null(batch.AddElement("visitors"u8, Encoding.UTF8.GetBytes($"{i}/{visitor}"), null));
            }

            Assert.Equal(IncrementStatus.Accepted, (await rig.Engine.CommitAsync(batch, null, 0, default)).Status);
        }

        await done.CancelAsync();
        await reader;
    }

    private static async Task CountAsync(Rig rig, string[] names, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            for (int i = 0; i < 1_000; i++)
            {
                Assert.Null(batch.Add("total"u8, 1));
                Assert.Null(batch.Add(Encoding.UTF8.GetBytes(names[1 + (i % (names.Length - 1))]), 1));
            }

            Assert.Equal(IncrementStatus.Accepted, (await rig.Engine.CommitAsync(batch, null, 0, default)).Status);
        }
    }
}
