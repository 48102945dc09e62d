using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Fold;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;

namespace Sketch.Tests.Engine;

public sealed class RemovalTests
{
    [Theory]
    [InlineData(Tier.Strong)]
    [InlineData(Tier.Approximate)]
    public async Task A_deleted_counter_is_gone_and_begins_at_zero_when_it_comes_again(Tier tier)
    {
        await using Rig rig = await Rig.Open(tier);
        await rig.Add("a", 5);
        await rig.Checkpoint();
        await rig.Add("a", 6);
        await rig.Add("b", 1);
        await rig.Delete("a");

        Assert.Null(rig.Read("a"));
        Assert.Equal(["b"], (await rig.Top(10)).Select(v => v.Name));
        Assert.Equal(["b"], await rig.Engine.FindAsync(Rig.Namespace, "", null, 10, default));
        Assert.Equal(1, rig.Engine.Namespaces.Single().Counters);
        Assert.Equal(RejectionReason.NotFound, (await rig.Engine.DeleteCounterAsync(Rig.Namespace, "a", default))!.Reason);

        await rig.Add("a", 3);
        CounterValue again = rig.Read("a")!;
        Assert.InRange(3, again.Lower, again.Upper);
        Assert.True(again.Upper < 11);
        await rig.Checkpoint();
        Assert.Equal((3, 3), (rig.Read("a")!.Value, rig.Store.Total(Rig.Namespace, "a")));
        Assert.Equal(2, rig.Engine.Namespaces.Single().Counters);
    }

    [Fact]
    public async Task A_deleted_counter_stays_deleted_after_a_start_however_many_were_deleted_after_it()
    {
        await using Rig rig = await Rig.Open();
        await rig.Add("a", 5);
        await rig.Add("b", 6);
        await rig.Checkpoint();
        await rig.Delete("a");

        // More than the fold remembers: it forgets the oldest. No window tells the store of any of them.
        for (int from = 0; from < LogFold.MostRemembered + 5_000; from += 5_000)
        {
            RemovalRecord removal = new(Rig.Namespace, [.. Enumerable.Range(from, 5_000).Select(i => $"{i}")], Deleted: true);
            await rig.Log.AppendAsync(new LogRecord(RecordKind.Removal, UInt128.Zero, 0, 0, removal.ToBytes()), Durability.Flushed, default);
        }

        await rig.Restart();
        Assert.Null(rig.Read("a"));
        Assert.Equal(6, rig.Read("b")!.Value);
        Assert.Equal(1, rig.Engine.Namespaces.Single().Counters);
        await rig.Add("a", 2);
        await rig.Checkpoint();
        Assert.Equal((2, 2), (rig.Read("a")!.Value, rig.Store.Total(Rig.Namespace, "a")));
        Assert.Equal(2, rig.Engine.Namespaces.Single().Counters);
    }

    [Fact]
    public async Task A_counter_that_was_deleted_twice_stays_deleted_after_a_start()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("a", CounterKind.Sum, Tier.Strong);
        await rig.Delete("a");
        await rig.Add("a", 3);
        await rig.Checkpoint();
        await rig.Delete("a");

        await rig.Restart();
        Assert.Null(rig.Read("a"));
        Assert.Equal(0, rig.Engine.Namespaces.Single().Counters);
        await rig.Add("a", 2);
        await rig.Checkpoint();
        Assert.Equal((2, 2), (rig.Read("a")!.Value, rig.Store.Total(Rig.Namespace, "a")));
    }

    [Fact]
    public async Task A_reset_keeps_the_definition_and_sets_the_value_to_zero()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("a", CounterKind.Sum, Tier.Strong);
        await rig.Define("users", CounterKind.Distinct);
        await rig.Add("a", -5);
        await rig.AddElements("users", "ann", "bob");
        await rig.Checkpoint();
        await rig.Reset("a");
        await rig.Reset("users");

        Assert.Equal(("strong", 0L, true), (rig.Read("a")!.Tier, rig.Read("a")!.Value, rig.Read("a")!.Exact));
        Assert.Equal(("distinct", 0L), (rig.Read("users")!.Kind, rig.Read("users")!.Value));
        await rig.Add("a", 2);
        await rig.AddElements("users", "bob");
        await rig.Restart();
        Assert.Equal((2, 1), (rig.Read("a")!.Value, rig.Read("users")!.Value));
        await rig.Checkpoint();
        Assert.Equal((2, 1), (rig.Read("a")!.Value, rig.Read("users")!.Value));
        Assert.Equal(2, rig.Store.Total(Rig.Namespace, "a"));
    }

    [Fact]
    public async Task A_deleted_name_may_come_again_as_another_kind()
    {
        await using Rig rig = await Rig.Open();
        await rig.Add("a", 5);
        await rig.Delete("a");
        await rig.Define("a", CounterKind.Distinct);
        await rig.AddElements("a", "x", "y");
        await rig.Checkpoint();
        Assert.Equal(("distinct", 2L), (rig.Read("a")!.Kind, rig.Read("a")!.Value));
        await rig.Delete("a");
        await rig.Restart();
        Assert.Null(rig.Read("a"));
        await rig.Add("a", 1);
        await rig.Checkpoint();
        await rig.Restart();
        Assert.Equal(("sum", 1L), (rig.Read("a")!.Kind, rig.Read("a")!.Value));
    }

    [Fact]
    public async Task A_batch_that_was_filled_before_a_deletion_is_told_to_come_again()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("users", CounterKind.Distinct);
        await rig.Add("a", 5);
        using IncrementBatch sums = rig.Engine.RentBatch(Rig.Namespace)!;
        Assert.Null(sums.Add("a"u8, 1));
        using IncrementBatch elements = rig.Engine.RentBatch(Rig.Namespace)!;
        Assert.Null(elements.AddElement("users"u8, "x"u8, null));
        Assert.Null(elements.Add("b"u8, 1));
        await rig.Delete("a");
        await rig.Delete("users");

        Assert.Equal(IncrementStatus.Busy, (await rig.Engine.CommitAsync(sums, "p", 1, default)).Status);
        Assert.Equal(IncrementStatus.Busy, (await rig.Engine.CommitAsync(elements, "p", 2, default)).Status);
        Assert.Null(rig.Read("a"));
        Assert.Null(rig.Read("b"));

        Assert.False((await rig.Send("p", 1, ("a", 1))).Duplicate);
        Assert.Equal(1, rig.Read("a")!.Value);
        await rig.Checkpoint();
        Assert.Equal(1, rig.Store.Total(Rig.Namespace, "a"));
    }

    /// <summary>However the counter came again: a batch that was judged before its deletion was meant for the one before.</summary>
    [Theory]
    [InlineData(CounterKind.Distinct)]
    [InlineData(CounterKind.Top)]
    [InlineData(CounterKind.Sum)]
    [InlineData(null)]
    public async Task A_batch_from_before_a_deletion_counts_nothing_in_the_counter_that_came_after(CounterKind? kind)
    {
        await using Rig rig = await Rig.Open();
        await rig.Add("a", 5);
        using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
        Assert.Null(batch.Add("a"u8, 7));
        Assert.Null(batch.Add("b"u8, 1));
        await rig.Delete("a");
        if (kind is { } another)
        {
            await rig.Define("a", another);
        }
        else
        {
            await rig.Add("a", 0);
        }

        Assert.Equal(IncrementStatus.Busy, (await rig.Engine.CommitAsync(batch, "p", 1, default)).Status);
        Assert.Equal(0, rig.Read("a")!.Value);
        Assert.Null(rig.Read("b"));
        await rig.Checkpoint();
        Assert.Equal(0, rig.Store.Total(Rig.Namespace, "a"));
    }

    [Fact]
    public async Task Elements_from_before_a_deletion_count_nothing_in_the_counter_that_came_after()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("users", CounterKind.Distinct);
        using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
        Assert.Null(batch.AddElement("users"u8, "ann"u8, null));
        await rig.Delete("users");
        await rig.Define("users", CounterKind.Distinct);
        Assert.Equal(IncrementStatus.Busy, (await rig.Engine.CommitAsync(batch, "p", 1, default)).Status);
        Assert.Equal(0, rig.Read("users")!.Value);
    }

    [Theory]
    [InlineData(CounterKind.Distinct)]
    [InlineData(CounterKind.Top)]
    public async Task A_sum_for_a_new_name_that_became_another_kind_meanwhile_is_told_to_come_again(CounterKind kind)
    {
        await using Rig rig = await Rig.Open();
        using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
        Assert.Null(batch.Add("y"u8, 5));
        await rig.Define("y", kind);

        Assert.Equal(IncrementStatus.Busy, (await rig.Engine.CommitAsync(batch, "p", 1, default)).Status);
        await rig.Checkpoint();
        Assert.Equal((0, 0), (rig.Read("y")!.Value, rig.Store.Total(Rig.Namespace, "y")));
        using IncrementBatch again = rig.Engine.RentBatch(Rig.Namespace)!;
        Assert.Equal("delta", again.Add("y"u8, 5)!.Field);
    }

    [Fact]
    public async Task Of_two_definitions_at_once_the_first_one_holds()
    {
        await using Rig rig = await Rig.Open();
        for (int round = 0; round < 10; round++)
        {
            Task<Rejection?>[] both =
            [
                .. new[] { CounterKind.Distinct, CounterKind.Top }
                    .Select(kind => rig.Engine.DefineCounterAsync(Rig.Namespace, new CounterDefinition($"y{round}", kind), default).AsTask()),
            ];
            Rejection?[] answers = await Task.WhenAll(both);
            Assert.Equal(("distinct", null), (rig.Read($"y{round}")!.Kind, answers[0]));
            Assert.Equal((RejectionReason.Conflict, "kind"), (answers[1]!.Reason, answers[1]!.Field));
        }
    }

    /// <summary>Any mix of increments, elements, resets, deletions, checkpoints, failures and restarts: values, stored totals and a replay agree with the truth.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Any_mix_counts_what_came_after_the_last_removal(int seed)
    {
        await using Rig rig = await Rig.Open((Tier)(1 + (seed % 3)));
        Random random = new(seed);
        Dictionary<string, long> truth = [];
        Dictionary<string, HashSet<string>> elements = [];
        for (int step = 0; step < 250; step++)
        {
            string name = $"n{random.Next(6)}";
            string users = $"u{random.Next(3)}";
            switch (random.Next(12))
            {
                case 0:
                    await rig.Restart();
                    break;
                case 1:
                    await rig.Checkpoint();
                    break;
                case 2:
                    rig.Time.Advance(TimeSpan.FromSeconds(random.Next(1, 2_000)));
                    break;
                case 3 when truth.ContainsKey(name):
                    await rig.Delete(name);
                    truth.Remove(name);
                    break;
                case 4 when truth.ContainsKey(name):
                    await rig.Reset(name);
                    truth[name] = 0;
                    break;
                case 5 when elements.ContainsKey(users):
                    await (random.Next(2) == 0 ? rig.Reset(users) : rig.Delete(users));
                    elements.Remove(users);
                    break;
                case 6 or 7:
                    await rig.Define(users, CounterKind.Distinct);
                    string[] some = [.. Enumerable.Range(0, 5).Select(_ => $"e{random.Next(30)}")];
                    await rig.AddElements(users, some);
                    elements.TryAdd(users, []);
                    elements[users].UnionWith(some);
                    break;
                default:
                    long delta = random.Next(1000);
                    await rig.Add(name, delta);
                    truth[name] = truth.GetValueOrDefault(name) + delta;
                    break;
            }

            Assert.False(rig.Engine.Failed.IsFaulted, $"step {step}: {rig.Engine.Failed.Exception}");
            if (rig.Engine.Status.OpenWindows > 6)
            {
                await rig.Checkpoint();
            }
        }

        await rig.Checkpoint();
        for (int n = 0; n < 6; n++)
        {
            Assert.Equal(truth.TryGetValue($"n{n}", out long total) ? total : null, rig.Read($"n{n}")?.Value);
            Assert.Equal(truth.GetValueOrDefault($"n{n}"), rig.Store.Total(Rig.Namespace, $"n{n}"));
        }

        Assert.All(elements, e => Assert.Equal(e.Value.Count, rig.Read(e.Key)!.Value));
        await rig.Restart();
        Assert.All(truth, t => Assert.Equal(t.Value, rig.Read(t.Key)!.Value));
        Assert.All(elements, e => Assert.Equal(e.Value.Count, rig.Read(e.Key)!.Value));
    }
}
