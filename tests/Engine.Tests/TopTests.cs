using System.Globalization;
using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;
using Sketch.Engine.Reads;
using Sketch.Engine.Windows;
using Sketch.Tests.Engine.Log;

namespace Sketch.Tests.Engine;

public sealed class TopTests
{
    [Theory]
    [InlineData(Tier.Strong)]
    [InlineData(Tier.Approximate)]
    public async Task The_largest_items_come_first_with_exact_totals_while_they_are_few(Tier tier)
    {
        await using Rig rig = await Rig.Open(tier);
        await rig.Define("pages", CounterKind.Top, k: 2);
        await rig.SendElements(null, 0, ("pages", "a", 5), ("pages", "b", 7), ("pages", "a", 4), ("pages", "c", null), ("clicks", null, 3));
        await Check();
        await rig.Checkpoint();
        await Check();
        await rig.Restart();
        await Check();
        Assert.Equal(9, rig.Store.Item(Rig.Namespace, "pages", "a"));
        await rig.SendElements(null, 0, ("pages", "c", 20));
        Assert.Equal([("c", 21L), ("a", 9L)], rig.Engine.Items(Rig.Namespace, "pages", null)!.Items.Select(i => (i.Item, i.Value)));
        Assert.Null(rig.Engine.Items(Rig.Namespace, "clicks", null));

        async Task Check()
        {
            await Task.Yield();
            TopItems items = rig.Engine.Items(Rig.Namespace, "pages", null)!;
            Assert.Equal([("a", 9L), ("b", 7L)], items.Items.Select(i => (i.Item, i.Value)));
            Assert.All(items.Items, i => Assert.True(i is { Certain: true, Exact: true }));
            CounterValue sum = rig.Read("pages")!;
            Assert.Equal("top", sum.Kind);
            Assert.InRange(17, sum.Lower, sum.Upper);
        }
    }

    [Fact]
    public async Task Bounds_hold_for_many_more_items_than_are_kept()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        await rig.Define("pages", CounterKind.Top, k: 10);
        Random random = new(3);
        Dictionary<string, long> truth = [];
        for (int batch = 0; batch < 60; batch++)
        {
            (string, string?, long?)[] rows = [.. Enumerable.Range(0, 1_000).Select(_ =>
            {
                string item = ((int)Math.Pow(20_000, random.NextDouble())).ToString(CultureInfo.InvariantCulture);
                long delta = random.Next(1, 4);
                truth[item] = truth.GetValueOrDefault(item) + delta;
                return ("pages", (string?)item, (long?)delta);
            })];
            Assert.Equal(IncrementStatus.Accepted, (await rig.SendElements(null, 0, rows)).Status);
            if (batch % 13 == 12)
            {
                await (batch % 2 == 0 ? rig.Checkpoint() : rig.Restart());
            }

            TopItems items = rig.Engine.Items(Rig.Namespace, "pages", 50)!;
            Assert.Equal(Math.Min(50, truth.Count), items.Items.Count);
            Assert.All(items.Items, i => Assert.InRange(truth[i.Item], i.Lower, i.Upper));
            long kth = truth.Values.OrderDescending().ElementAt(Math.Min(50, truth.Count) - 1);
            Assert.All(items.Items.Where(i => i.Certain), i => Assert.True(truth[i.Item] >= kth));
        }

        HashSet<string> best = [.. truth.OrderByDescending(t => t.Value).Take(5).Select(t => t.Key)];
        Assert.Superset(best, rig.Engine.Items(Rig.Namespace, "pages", 10)!.Items.Select(i => i.Item).ToHashSet());
        await rig.Checkpoint();
        Assert.All(truth, t => Assert.Equal(t.Value, rig.Store.Item(Rig.Namespace, "pages", t.Key)));
        Assert.Equal(truth.Values.Sum(), rig.Store.Total(Rig.Namespace, "pages"));
        Assert.All(rig.Engine.Items(Rig.Namespace, "pages", 10)!.Items, i => Assert.Equal((truth[i.Item], true), (i.Value, i.Certain)));
    }

    [Fact]
    public async Task Resets_deletions_and_retries_count_items_once()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("pages", CounterKind.Top);
        await rig.SendElements("p", 1, ("pages", "a", 5));
        Assert.True((await rig.SendElements("p", 1, ("pages", "a", 5))).Duplicate);
        await rig.Checkpoint();
        await rig.SendElements("p", 2, ("pages", "b", 2));
        await rig.Reset("pages");
        Assert.Empty(rig.Engine.Items(Rig.Namespace, "pages", null)!.Items);
        Assert.Equal(0, rig.Read("pages")!.Value);
        await rig.SendElements("p", 3, ("pages", "b", 3));
        await rig.Restart();
        Assert.Equal([("b", 3L)], rig.Engine.Items(Rig.Namespace, "pages", null)!.Items.Select(i => (i.Item, i.Value)));
        await rig.Checkpoint();
        await rig.Restart();
        Assert.Equal([("b", 3L)], rig.Engine.Items(Rig.Namespace, "pages", null)!.Items.Select(i => (i.Item, i.Value)));
        Assert.Equal(3, rig.Store.Total(Rig.Namespace, "pages"));
        await rig.Delete("pages");
        Assert.Null(rig.Engine.Items(Rig.Namespace, "pages", null));
    }

    /// <summary>Names, ids in columns and items share one limit, which no total of a namespace can pass; a reset gives nothing back.</summary>
    [Fact]
    public async Task No_way_in_can_overflow_a_total()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("pages", CounterKind.Top);
        (string, string?, long?)[] largest = [.. Enumerable.Repeat(("pages", (string?)"a", (long?)EngineLimits.MaxDelta), EngineLimits.MaxBatchIncrements)];
        long fits = (1L << 62) / (EngineLimits.MaxDelta * EngineLimits.MaxBatchIncrements);
        for (int i = 0; i < fits; i++)
        {
            Assert.Equal(IncrementStatus.Accepted, (await rig.SendElements(null, 0, largest)).Status);
        }

        await Refused();
        await rig.Checkpoint();
        await rig.Reset("pages");
        await Refused();
        await rig.Restart();
        await Refused();
        await rig.Checkpoint();
        Assert.Equal((0, 0), (rig.Read("pages")!.Value, rig.Store.Total(Rig.Namespace, "pages")));

        async Task Refused()
        {
            long before = rig.Read("pages")!.Value;
            Assert.Equal(RejectionReason.QuotaExceeded, (await rig.SendElements(null, 0, largest)).Rejection!.Reason);
            Assert.Equal(RejectionReason.QuotaExceeded, (await rig.SendElements(null, 0, [.. largest.Select(l => ("sum", (string?)null, l.Item3))])).Rejection!.Reason);
            using IncrementBatch columns = rig.Engine.RentBatch(Rig.Namespace)!;
            Assert.Null(columns.Declare("fresh"u8));
            ulong[] ids = [.. Enumerable.Repeat(CounterId.Of(Rig.Namespace, "fresh"), EngineLimits.MaxBatchIncrements)];
            Assert.Null(columns.Add(ids, [.. Enumerable.Repeat(-EngineLimits.MaxDelta, ids.Length)], out _));
            Assert.Equal(RejectionReason.QuotaExceeded, (await rig.Engine.CommitAsync(columns, null, 0, default)).Rejection!.Reason);
            Assert.Equal(before, rig.Read("pages")!.Value);
        }
    }

    [Fact]
    public async Task No_read_sees_an_items_window_twice_or_not_at_all()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("pages", CounterKind.Top);
        await rig.SendElements(null, 0, ("pages", "a", 1));
        long acknowledged = 1;
        long sent = 1;
        using CancellationTokenSource done = new();
        Task reader = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                long atLeast = Volatile.Read(ref acknowledged);
                long value = rig.Engine.Items(Rig.Namespace, "pages", 1)!.Items[0].Value;
                Assert.InRange(value, atLeast, Volatile.Read(ref sent));
            }
        });
        for (int window = 0; window < 100; window++)
        {
            Volatile.Write(ref sent, sent + 1);
            await rig.SendElements(null, 0, ("pages", "a", 1));
            Volatile.Write(ref acknowledged, sent);
            await rig.Checkpoint();
        }

        await done.CancelAsync();
        await reader;
    }

    [Fact]
    public async Task An_item_counts_once_towards_the_limit_wherever_it_is()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("pages", CounterKind.Top);
        int[][] all = [.. Enumerable.Range(0, EngineLimits.MaxExactItems - 1).Chunk(10_000)];
        await SendAll();
        await rig.Checkpoint();
        await SendAll();
        Assert.Equal(IncrementStatus.Accepted, (await rig.SendElements(null, 0, ("pages", "the last", 1))).Status);
        Assert.Equal(IncrementStatus.Rejected, (await rig.SendElements(null, 0, ("pages", "one more", 1))).Status);

        async Task SendAll()
        {
            foreach (int[] some in all)
            {
                Assert.Equal(IncrementStatus.Accepted, (await rig.SendElements(null, 0, [.. some.Select(i => ("pages", (string?)$"{i}", (long?)1))])).Status);
            }
        }
    }

    [Fact]
    public async Task A_deleted_counter_leaves_no_items_in_memory()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("pages", CounterKind.Top);
        await rig.SendElements(null, 0, ("pages", "a", 1));
        await rig.Checkpoint();
        Assert.Single(rig.Engine.View.Items);
        await rig.Delete("pages");
        await rig.Checkpoint();
        Assert.Empty(rig.Engine.View.Items);
    }

    /// <summary>While the store is away the open window grows, but not beyond what the checkpointer can hold.</summary>
    [Fact]
    public async Task A_window_ends_at_a_number_of_items_however_many_wait()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        await rig.Define("pages", CounterKind.Top);
        rig.Store.FailNext = int.MaxValue;
        for (int i = 0; i < 3; i++)
        {
            await rig.Add("a", 1);
            await rig.Reset("a");
        }

        int waiting = rig.Engine.Status.OpenWindows;
        Assert.Equal(4, waiting);
        foreach (int[] some in Enumerable.Range(0, WindowMarker.MaxItems).Chunk(10_000))
        {
            Assert.Equal(IncrementStatus.Accepted, (await rig.SendElements(null, 0, [.. some.Select(i => ("pages", (string?)$"{i}", (long?)1))])).Status);
        }

        await Until.True(() =>
        {
            rig.Time.Advance(TimeSpan.FromMilliseconds(50));
            return rig.Engine.Status.OpenWindows > waiting;
        });

        // Items that the window knows take no more room.
        for (int batch = 0; batch < 3; batch++)
        {
            await rig.SendElements(null, 0, [.. Enumerable.Repeat(("pages", (string?)"1", (long?)1), 10_000)]);
        }

        Assert.Equal(1, rig.Engine.View.Open.NewItems);
        rig.Store.FailNext = 0;
    }

    [Fact]
    public async Task An_exact_counter_that_is_full_of_items_refuses_another()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("pages", CounterKind.Top);
        foreach (int[] some in Enumerable.Range(0, EngineLimits.MaxExactItems).Chunk(10_000))
        {
            await rig.SendElements(null, 0, [.. some.Select(i => ("pages", (string?)$"{i}", (long?)1))]);
        }

        IncrementResult refused = await rig.SendElements(null, 0, ("pages", "one more", 1));
        Assert.Equal((IncrementStatus.Rejected, RejectionReason.QuotaExceeded), (refused.Status, refused.Rejection!.Reason));
        Assert.Equal(IncrementStatus.Accepted, (await rig.SendElements(null, 0, ("pages", "7", 1))).Status);
        Assert.Equal(EngineLimits.MaxExactItems + 1, rig.Read("pages")!.Value);
    }
}
