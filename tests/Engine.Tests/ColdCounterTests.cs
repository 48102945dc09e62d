using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Elements;
using Sketch.Engine.Increments;
using Sketch.Engine.Reads;
using Sketch.Engine.Totals;

namespace Sketch.Tests.Engine;

/// <summary>Counters whose totals are not in memory: everything is as if they were.</summary>
public class ColdCounterTests
{
    [Fact]
    public async Task A_counter_out_of_memory_is_read_through_the_store()
    {
        await using Rig rig = await Rig.Open(isTight: true);
        await Fill(rig);
        Assert.Equal((true, true, false), (rig.Engine.Has(Rig.Namespace, "c3"), rig.Engine.Has(Rig.Namespace, "c19"), rig.Engine.Has(Rig.Namespace, "nobody")));

        int before = rig.Store.TotalsReads;
        CounterValue value = (await rig.ReadThrough("c3"))!;
        Assert.Equal((4, 4, 4, true), (value.Value, value.Lower, value.Upper, value.Exact));
        Assert.Equal(before + 1, rig.Store.TotalsReads);
        Assert.Equal(4, rig.Read("c3")!.Value); // it came back
        Assert.Equal(before + 1, rig.Store.TotalsReads);

        // What nobody ever counted is answered from memory.
        Assert.Null(await rig.ReadThrough("nobody"));
        Assert.Equal(before + 1, rig.Store.TotalsReads);
        (long hits, long misses, long loaded, long evicted) = rig.Engine.TotalsReads;
        Assert.True(hits >= 2 && misses == 1 && loaded >= 1 && evicted == 18, $"{hits} {misses} {loaded} {evicted}");

        // The two heaviest never leave.
        Assert.Equal((20, 19), (rig.Read("c19")!.Value, rig.Read("c18")!.Value));
        Assert.Equal(before + 1, rig.Store.TotalsReads);
    }

    [Fact]
    public async Task A_reader_that_can_not_wait_finds_it_the_next_time()
    {
        await using Rig rig = await Rig.Open(isTight: true);
        await Fill(rig);
        Assert.Null(rig.Read("c5"));
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(30));
        while (rig.Read("c5") is not { Value: 6 })
        {
            await Task.Delay(1, late.Token);
        }

        await rig.Engine.WarmAsync(Rig.Namespace, ["c6", "c7", "nobody"], CancellationToken.None);
        Assert.Equal((7, 8), (rig.Read("c6")!.Value, rig.Read("c7")!.Value));
    }

    [Fact]
    public async Task Increments_of_a_counter_out_of_memory_add_up_live_and_stored()
    {
        await using Rig rig = await Rig.Open(Tier.Strong, isTight: true);
        await Fill(rig);
        await rig.Add("c3", 10);
        Assert.Equal(14, (await rig.ReadThrough("c3"))!.Value);
        await rig.Checkpoint();
        await rig.Add("c3", 100);
        Assert.Equal(114, (await rig.ReadThrough("c3"))!.Value);
        await rig.Restart();
        Assert.Equal(114, (await rig.ReadThrough("c3"))!.Value);
        await rig.Checkpoint();
        Assert.Equal((114, 114), ((await rig.ReadThrough("c3"))!.Value, rig.Store.Total(Rig.Namespace, "c3")));
        Assert.Equal(IncrementStatus.Accepted, (await rig.Send(null, 0, ("c3", -114))).Status);
        Assert.Equal(0, (await rig.ReadThrough("c3"))!.Value);
    }

    [Fact]
    public async Task What_is_counted_often_comes_back_into_memory_without_being_read()
    {
        await using Rig rig = await Rig.Open(isTight: true);
        await Fill(rig);
        rig.TotalsMemoryBytes = 300; // nine counters
        await rig.Restart();
        await rig.Send(null, 0, ("c18", 10_000), ("c19", 10_000)); // too heavy for another to come on the list
        await rig.Checkpoint();
        long before = rig.Engine.TotalsReads.Loaded;

        // Those that came first by name are in memory, and nobody counts them: they leave first.
        await rig.Send(null, 0, [.. Enumerable.Range(2, 8).Select(i => ($"c{i}", i == 3 ? 100L : 1))]);
        await rig.Checkpoint();
        Assert.Equal(before + 1, rig.Engine.TotalsReads.Loaded);
        int reads = rig.Store.TotalsReads;
        Assert.Equal(104, (await rig.ReadThrough("c3"))!.Value);
        Assert.Equal(reads, rig.Store.TotalsReads);

        // No more often than the others: it stays where it is.
        await rig.Send(null, 0, [.. Enumerable.Range(2, 8).Select(i => ($"c{i}", 1L))]);
        await rig.Checkpoint();
        Assert.Equal(before + 1, rig.Engine.TotalsReads.Loaded);
    }

    [Fact]
    public async Task A_checkpoint_that_lands_while_the_store_answers_counts_once()
    {
        await using Rig rig = await Rig.Open(isTight: true);
        await Fill(rig);
        TaskCompletionSource answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Store.TotalsWait = answer.Task;
        await rig.Add("c3", 10);
        Task<CounterValue?> reading = rig.ReadThrough("c3");
        await rig.Checkpoint();
        await rig.Add("c3", 100);
        answer.SetResult();
        Assert.Equal(114, (await reading)!.Value);
    }

    [Fact]
    public async Task Reads_of_counters_out_of_memory_are_consistent_over_many_checkpoints()
    {
        await using Rig rig = await Rig.Open(isTight: true);
        await Fill(rig);
        string[] names = ["c3", "c4", "c5"];
        long acknowledged = 0;
        long sent = 0;
        Task writing = Task.Run(async () =>
        {
            for (int i = 0; i < 400; i++)
            {
                Volatile.Write(ref sent, i + 1);
                await rig.Send(null, 0, [.. names.Select(n => (n, 1L))]);
                Volatile.Write(ref acknowledged, i + 1);
                if (i % 5 == 0)
                {
                    await rig.Checkpoint();
                }
            }
        });
        int reads = 0;
        while (!writing.IsCompleted || reads < 10)
        {
            long atLeast = Volatile.Read(ref acknowledged);
            IReadOnlyList<CounterValue?> values = await rig.Engine.ReadAsync(Rig.Namespace, names, 0.99, CancellationToken.None);
            long[] live = [.. values.Select((v, i) => v!.Value - (4 + i))];
            Assert.True(live.All(l => l >= atLeast && l <= Volatile.Read(ref sent)), $"{string.Join(' ', live)} of {atLeast} to {sent}");
            reads++;
        }

        await writing;
        await rig.Checkpoint();
        Assert.Equal([404, 405, 406], (await rig.Engine.ReadAsync(Rig.Namespace, names, 0.99, CancellationToken.None)).Select(v => v!.Value));
    }

    [Fact]
    public async Task While_the_store_is_away_counters_in_memory_are_read_and_all_are_counted()
    {
        await using Rig rig = await Rig.Open(isTight: true);
        await Fill(rig);
        rig.Store.ReadsFail = true;
        await Assert.ThrowsAsync<CheckpointStoreException>(() => rig.ReadThrough("c3"));
        Assert.Equal(20, (await rig.ReadThrough("c19"))!.Value);
        await rig.Add("c3", 1);
        rig.Store.ReadsFail = false;
        Assert.Equal(5, (await rig.ReadThrough("c3"))!.Value);
    }

    [Fact]
    public async Task The_heaviest_are_right_when_most_totals_are_out_of_memory()
    {
        await using Rig rig = await Rig.Open(isTight: true);
        Random random = new(17);
        Dictionary<string, long> truth = [];
        for (int round = 0; round < 40; round++)
        {
            for (int i = 0; i < 12; i++)
            {
                string name = $"n{random.Next(80)}";
                // Now and then somebody rises from nowhere, or falls.
                long delta = random.Next(10) == 0 ? random.Next(200) : random.Next(12) == 0 ? -random.Next(100) : random.Next(10);
                truth[name] = truth.GetValueOrDefault(name) + delta;
                await rig.Add(name, delta);
            }

            await rig.Checkpoint();
            rig.Time.Advance(TimeSpan.FromSeconds(11));
            string[] heaviest = [.. truth.OrderByDescending(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal).Take(2).Select(t => $"{t.Key} {t.Value}")];
            long second = truth.Values.OrderDescending().ElementAtOrDefault(1);
            CounterValue[] top = [.. await rig.Top(2)];
            if (!top.Select(v => $"{v.Name} {v.Value}").SequenceEqual(heaviest))
            {
                // Of equals at the end any may be listed; and who replaces one that fell is asked for at the next checkpoint.
                await rig.Add("n0", 0);
                await rig.Checkpoint();
                top = [.. await rig.Top(2)];
            }

            Assert.Equal(truth.Values.OrderDescending().Take(2), top.Select(v => v.Value));
            Assert.All(top, v => Assert.Equal(truth[v.Name], v.Value));
        }
    }

    [Fact]
    public async Task The_heaviest_are_those_that_were_incremented_before_and_after_a_start()
    {
        await using Rig rig = await Rig.Open();
        await rig.Add("a", 5);
        await rig.Add("zero", 3);
        await rig.Add("zero", -3);
        await rig.Define("untouched", CounterKind.Sum);
        await rig.Define("users", CounterKind.Distinct);
        await rig.AddElements("users", Enumerable.Range(0, 100).Select(i => $"user {i}"));
        await rig.Checkpoint();
        string[] before = [.. (await rig.Top(10)).Select(v => $"{v.Name} {v.Value}")];
        Assert.Equal(["a 5", "zero 0"], before);
        await rig.Restart();
        Assert.Equal(before, (await rig.Top(10)).Select(v => $"{v.Name} {v.Value}"));
    }

    [Fact]
    public void After_a_start_the_heaviest_are_doubtful_where_one_out_of_memory_may_be_above_them()
    {
        byte[] secret = new byte[32];
        HeaviestTotals heaviest = new(new CounterCatalogue(new ElementStates(new ElementHasher(secret)), new CounterTable(secret, 0)), kept: 2);
        heaviest.Offer(0, [new(1, 0), new(2, 6), new(3, 5)]);
        heaviest.Offer(1, [new(4, -5), new(5, -6)]);
        heaviest.Offer(2, [new(7, 7)]);
        heaviest.Offer(3, [new(8, -7)]);
        for (ushort index = 0; index < 3; index++)
        {
            heaviest.Leaves(index, 0); // named, and never incremented
        }

        Assert.Equal([2UL, 3UL, 4UL, 5UL, 7UL, 8UL], heaviest.FinishLoading().Keys.Order());
        Assert.Equal([1, 2], heaviest.Doubtful);
    }

    [Fact]
    public async Task A_start_begins_again_when_a_window_came_to_the_store_in_part_meanwhile()
    {
        await using Rig rig = await Rig.Open();
        await rig.Add("a", 5);
        await rig.Checkpoint();
        await rig.Add("a", 2);
        int before = rig.Store.NamesReads;
        rig.Store.UnfinishedRows = reads => reads > before ? 1 : 0;
        await rig.Restart();
        Assert.Equal(before + 2, rig.Store.NamesReads);
        Assert.Equal(7, (await rig.ReadThrough("a"))!.Value);
    }

    [Fact]
    public async Task Deletions_and_resets_of_counters_out_of_memory_leave_nothing()
    {
        await using Rig rig = await Rig.Open(isTight: true);
        await Fill(rig);
        Assert.Null(await rig.Engine.DeleteCounterAsync(Rig.Namespace, "c3", CancellationToken.None));
        Assert.Null(await rig.Engine.ResetCounterAsync(Rig.Namespace, "c4", CancellationToken.None));
        Assert.Null(await rig.ReadThrough("c3"));
        Assert.Equal(0, (await rig.ReadThrough("c4"))!.Value);
        await rig.Add("c4", 2);
        await rig.Add("c3", 1);
        Assert.Equal((1, 2), ((await rig.ReadThrough("c3"))!.Value, (await rig.ReadThrough("c4"))!.Value));
        await rig.Checkpoint();
        Assert.Equal((1, 2), (rig.Store.Total(Rig.Namespace, "c3"), rig.Store.Total(Rig.Namespace, "c4")));
        Assert.Equal((1, 2), ((await rig.ReadThrough("c3"))!.Value, (await rig.ReadThrough("c4"))!.Value));
        Assert.Equal(20, rig.Engine.Namespaces.Single().Counters);
    }

    [Fact]
    public async Task A_counter_out_of_memory_takes_a_definition_and_counts_for_the_quota()
    {
        await using Rig rig = await Rig.Open(isTight: true);
        await Fill(rig);
        Assert.Null(await rig.Engine.DefineCounterAsync(Rig.Namespace, new CounterDefinition("c3", Tier: Tier.Strong), CancellationToken.None));
        CounterValue value = (await rig.ReadThrough("c3"))!;
        Assert.Equal((4, "strong"), (value.Value, value.Tier));
        Assert.Null(await rig.Engine.DefineNamespaceAsync(new NamespaceDefinition(Rig.Namespace, Tier.Eventual, MaxCounters: 20), CancellationToken.None));
        Assert.Equal(IncrementStatus.Rejected, (await rig.Send(null, 0, ("new", 1))).Status);
        Assert.Equal(IncrementStatus.Accepted, (await rig.Send(null, 0, ("c5", 1))).Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(12)]
    public async Task Whatever_is_done_to_them_values_are_those_of_a_dictionary(int seed)
    {
        await using Rig rig = await Rig.Open(isTight: true);
        Random random = new(seed);
        Dictionary<string, long> truth = [];
        for (int step = 0; step < 400; step++)
        {
            string name = $"n{random.Next(30)}";
            switch (random.Next(20))
            {
                case 0:
                    Assert.Equal(truth.Remove(name), await rig.Engine.DeleteCounterAsync(Rig.Namespace, name, CancellationToken.None) is null);
                    break;
                case 1:
                    bool existed = await rig.Engine.ResetCounterAsync(Rig.Namespace, name, CancellationToken.None) is null;
                    Assert.Equal(truth.ContainsKey(name), existed);
                    truth = existed ? new(truth) { [name] = 0 } : truth;
                    break;
                case 2:
                    Assert.Null(await rig.Engine.DefineCounterAsync(
                        Rig.Namespace, new CounterDefinition(name, Tier: random.Next(2) == 0 ? Tier.Strong : null), CancellationToken.None));
                    truth.TryAdd(name, 0);
                    break;
                case 3 or 4 or 5:
                    await rig.Checkpoint();
                    break;
                case 6 when random.Next(4) == 0:
                    await rig.Restart();
                    break;
                default:
                    long delta = random.Next(-5, 20);
                    await rig.Add(name, delta);
                    truth[name] = truth.GetValueOrDefault(name) + delta;
                    break;
            }

            string read = $"n{random.Next(30)}";
            Assert.Equal(truth.TryGetValue(read, out long total) ? total : null, (await rig.ReadThrough(read))?.Value);
        }

        await rig.Checkpoint();
        foreach (int n in Enumerable.Range(0, 30))
        {
            Assert.Equal(truth.TryGetValue($"n{n}", out long total) ? total : null, (await rig.ReadThrough($"n{n}"))?.Value);
            Assert.Equal(truth.GetValueOrDefault($"n{n}"), rig.Store.Total(Rig.Namespace, $"n{n}"));
        }

        Assert.Equal(truth.Count, rig.Engine.Namespaces.Single().Counters);
    }

    // c0 to c19 with 1 to 20, stored.
    private static async Task Fill(Rig rig)
    {
        Assert.Equal(IncrementStatus.Accepted, (await rig.Send(null, 0, [.. Enumerable.Range(0, 20).Select(i => ($"c{i}", i + 1L))])).Status);
        await rig.Checkpoint();
    }
}
