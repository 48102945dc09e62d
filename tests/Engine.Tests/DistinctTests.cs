using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;
using Sketch.Engine.Increments;
using Sketch.Engine.Reads;
using Sketch.Tests.Engine.Log;

namespace Sketch.Tests.Engine;

public sealed class DistinctTests
{
    [Theory]
    [InlineData(Tier.Strong)]
    [InlineData(Tier.Eventual)]
    public async Task An_exact_counter_counts_each_element_once(Tier tier)
    {
        await using Rig rig = await Rig.Open(tier);
        await rig.Define("users", CounterKind.Distinct);
        await rig.AddElements("users", "ann", "bob", "ann", "ö");

        CounterValue value = rig.Read("users")!;
        Assert.Equal(("distinct", 3L, 3L, 3L, true), (value.Kind, value.Value, value.Lower, value.Upper, value.Exact));
        await rig.Checkpoint();
        await rig.AddElements("users", "bob", "cem");
        Assert.Equal(4, rig.Read("users")!.Value);
    }

    [Fact]
    public async Task An_approximate_counter_states_bounds_that_hold()
    {
        // 20 counters of 30,000 elements at 99 %: more than two outside of their bounds about once in 1,000 secrets.
        await using Rig rig = await Rig.Open(Tier.Approximate);
        int outside = 0;
        for (int counter = 0; counter < 20; counter++)
        {
            await rig.Define($"u{counter}", CounterKind.Distinct);
            await rig.AddElements($"u{counter}", Enumerable.Range(0, 30_000).Select(i => $"{counter}/{i}"));
            CounterValue value = rig.Read($"u{counter}")!;
            Assert.False(value.Exact);
            Assert.True(value.Upper - value.Lower < 3_600, $"{value}");
            outside += value.Lower <= 30_000 && 30_000 <= value.Upper ? 0 : 1;
        }

        Assert.InRange(outside, 0, 2);
    }

    [Theory]
    [InlineData(Tier.Strong)]
    [InlineData(Tier.Approximate)]
    public async Task Every_hour_counts_its_elements_anew(Tier tier)
    {
        await using Rig rig = await Rig.Open(tier);
        await rig.Define("users", CounterKind.Distinct);
        await rig.Define("others", CounterKind.Distinct);
        await rig.AddElements("users", Enumerable.Range(0, 500).Select(i => $"{i}"));
        await rig.AddElements("others", "one");
        await rig.Checkpoint();
        await rig.AddElements("users", Enumerable.Range(400, 200).Select(i => $"{i}"));
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.AddElements("users", Enumerable.Range(0, 300).Select(i => $"{i}"));
        await rig.Checkpoint();

        DateTimeOffset ten = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);
        Assert.Equal([(ten, 600), (ten.AddHours(1), 300)], await Hours(1));
        Assert.Equal([(ten.Date, 600)], await Hours(24));
        await rig.Restart();
        Assert.Equal([(ten, 600), (ten.AddHours(1), 300)], await Hours(1));

        // After a reset only what came since.
        await rig.Reset("users");
        await rig.AddElements("users", "ann", "bob");
        await rig.Checkpoint();
        Assert.Equal([(ten.AddHours(1), 2)], await Hours(1));
        Assert.Null(await rig.Engine.DistinctHistoryAsync(Rig.Namespace, "nobody", ten, ten.AddDays(1), 1, 0.99, default));

        async Task<(DateTimeOffset, int)[]> Hours(int step)
        {
            IReadOnlyList<DistinctPoint> points = (await rig.Engine.DistinctHistoryAsync(Rig.Namespace, "users", ten.Date, ten.Date.AddDays(1), step, 0.999999, default))!;
            // The numbers are those that are expected where these are within the bounds: six in a million are not.
            return [.. points.Select(p => (p.Start, new[] { 2, 300, 600 }.Single(n => p.Count.Lower <= n && n <= p.Count.Upper)))];
        }
    }

    [Fact]
    public async Task Elements_need_a_counter_of_their_kind()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("users", CounterKind.Distinct);
        await rig.Add("clicks", 1);
        await rig.Define("defined", CounterKind.Sum);
        using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;

        Assert.Equal("name", batch.AddElement("nobody"u8, "e"u8, null)!.Field);
        Assert.Contains("kind", batch.AddElement("nobody"u8, "e"u8, null)!.Allowed, StringComparison.Ordinal);
        Assert.Equal("name", batch.AddElement("clicks"u8, "e"u8, null)!.Field);
        Assert.Equal("element", batch.AddElement("defined"u8, "e"u8, null)!.Field);
        Assert.Equal("delta", batch.AddElement("users"u8, "e"u8, 3)!.Field);
        Assert.Equal("delta", batch.Add("users"u8, 1)!.Field);
        Assert.Equal("element", batch.AddElement("users"u8, new byte[EngineLimits.MaxElementBytes + 1], null)!.Field);
        Assert.Equal("element", batch.AddElement("users"u8, [], null)!.Field);
        Assert.Equal("element", batch.AddElement("users"u8, [0xC3, 0x28], null)!.Field);
        Assert.Equal(0, batch.Count);
        Rejection? kind = await rig.Engine.DefineCounterAsync(Rig.Namespace, new CounterDefinition("clicks", CounterKind.Distinct), default);
        Assert.Equal((RejectionReason.Conflict, "kind"), (kind!.Reason, kind.Field));
        Rejection? k = await rig.Engine.DefineCounterAsync(Rig.Namespace, new CounterDefinition("x", CounterKind.Distinct, K: 3), default);
        Assert.Equal("k", k!.Field);
    }

    [Fact]
    public async Task A_batch_of_sums_and_elements_counts_whole_and_once()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("users", CounterKind.Distinct);
        IncrementResult first = await rig.SendElements("p", 1, ("clicks", null, 5), ("users", "ann", null), ("users", "bob", null));
        IncrementResult again = await rig.SendElements("p", 1, ("clicks", null, 5), ("users", "ann", null), ("users", "bob", null));
        await rig.Restart();
        IncrementResult later = await rig.SendElements("p", 1, ("clicks", null, 5), ("users", "ann", null), ("users", "bob", null));

        Assert.Equal(new IncrementResult(IncrementStatus.Accepted, 3, false, first.Position), first);
        Assert.Equal(first with { Duplicate = true }, again);
        Assert.Equal(first with { Duplicate = true }, later);
        Assert.Equal((5, 2), (rig.Read("clicks")!.Value, rig.Read("users")!.Value));
        await rig.Checkpoint();
        Assert.Equal(5, rig.Store.Total(Rig.Namespace, "clicks"));
    }

    [Fact]
    public async Task An_exact_counter_that_is_full_refuses_what_is_new_and_answers_retries()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("users", CounterKind.Distinct);
        await rig.AddElements("users", Enumerable.Range(0, EngineLimits.MaxExactElements - 1).Select(i => $"{i}"));
        IncrementResult last = await rig.SendElements("p", 1, ("users", "last", null));

        IncrementResult refused = await rig.SendElements("p", 2, ("users", "more", null), ("clicks", null, 1));
        IncrementResult retried = await rig.SendElements("p", 1, ("users", "last", null));

        Assert.Equal((IncrementStatus.Rejected, RejectionReason.QuotaExceeded, "element"), (refused.Status, refused.Rejection!.Reason, refused.Rejection.Field));
        Assert.Equal(last with { Duplicate = true }, retried);
        Assert.Null(rig.Read("clicks"));
        Assert.Equal(1, rig.Engine.Namespaces.Single().Counters); // the refused batch's new name took none of the quota
        Assert.Equal(EngineLimits.MaxExactElements, rig.Read("users")!.Value);
    }

    [Fact]
    public async Task A_counter_that_becomes_approximate_goes_on_from_its_exact_count()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("users", CounterKind.Distinct);
        await rig.AddElements("users", Enumerable.Range(0, 20_000).Select(i => $"{i}"));
        await rig.Define("users", CounterKind.Distinct, Tier.Approximate);
        await rig.AddElements("users", Enumerable.Range(19_000, 1_100).Select(i => $"{i}"));

        CounterValue value = rig.Read("users")!;
        Assert.False(value.Exact);
        Assert.InRange(20_100, value.Lower, value.Upper);
        Assert.True(value.Lower >= 20_000 && value.Upper <= 21_100, $"{value}");
        await rig.Checkpoint();
        await rig.Restart();
        Assert.Equal(value, rig.Read("users")! with { ExactAsOf = value.ExactAsOf });

        // Elements that were not kept can't come back: the count stays an estimate, and says so.
        await rig.Define("users", CounterKind.Distinct, Tier.Strong);
        await rig.AddElements("users", "one more");
        Assert.False(rig.Read("users")!.Exact);
    }

    /// <summary>The same log, with restarts and checkpoints after every batch or with none, gives the same states to the last bit.</summary>
    [Theory]
    [InlineData(Tier.Approximate)]
    [InlineData(Tier.Eventual)]
    public async Task Restarts_and_checkpoints_at_any_step_change_no_bit(Tier tier)
    {
        await using Rig rig = await Rig.Open(tier);
        await rig.Define("few", CounterKind.Distinct);
        await rig.Define("many", CounterKind.Distinct);
        Random random = new(5);
        HashSet<string> few = [];
        HashSet<string> many = [];
        for (int step = 0; step < 24; step++)
        {
            string[] some = [.. Enumerable.Range(0, 3).Select(_ => $"f{random.Next(40)}")];
            string[] more = [.. Enumerable.Range(0, 400).Select(_ => $"m{random.Next(20_000)}")];
            few.UnionWith(some);
            many.UnionWith(more);
            await rig.AddElements("few", some);
            await rig.AddElements("many", more);
            CounterValue[] before = [rig.Read("few")!, rig.Read("many")!];
            switch (step % 4)
            {
                case 0:
                    await rig.Checkpoint();
                    break;
                case 1:
                    await rig.Restart();
                    break;
                case 2:
                    rig.Time.Advance(TimeSpan.FromSeconds(11)); // a snapshot is due
                    await rig.Checkpoint();
                    await rig.Restart();
                    break;
            }

            Assert.Equal(before.Select(v => (v.Value, v.Lower, v.Upper)), new[] { rig.Read("few")!, rig.Read("many")! }.Select(v => (v.Value, v.Lower, v.Upper)));
        }

        Assert.InRange(few.Count, rig.Read("few", 0.999999)!.Lower, rig.Read("few", 0.999999)!.Upper);
        Assert.InRange(many.Count, rig.Read("many", 0.999999)!.Lower, rig.Read("many", 0.999999)!.Upper);
        await rig.Checkpoint();
        await rig.Stop();
        await using Rig replayed = rig.Replayed();
        await replayed.Start();
        await replayed.Checkpoint();
        Assert.Equal(
            rig.Store.Distincts.OrderBy(d => d.Id).Select(Bytes),
            replayed.Store.Distincts.OrderBy(d => d.Id).Select(Bytes));
    }

    /// <summary>A node that died between a window's members and its registers finds the members at its next start.</summary>
    [Fact]
    public async Task Registers_are_whole_after_a_death_between_members_and_registers()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("users", CounterKind.Distinct);
        await rig.AddElements("users", Enumerable.Range(0, 300).Select(i => $"{i}"));
        await rig.Checkpoint();
        await rig.AddElements("users", Enumerable.Range(300, 3_000).Select(i => $"{i}"));
        rig.Store.FailAfterMembers = true;
        Task checkpoint = rig.Engine.CheckpointAsync(CancellationToken.None);
        await Until.True(() => rig.Store.Failures > 0);
        await rig.Stop();
        rig.Store.FailAfterMembers = false;
        await rig.Start();
        await rig.Checkpoint();
        Assert.False(checkpoint.IsCompletedSuccessfully);
        await rig.Stop();

        await using Rig replayed = rig.Replayed();
        await replayed.Start();
        await replayed.Checkpoint();
        Assert.Equal(Bytes(Assert.Single(replayed.Store.Distincts)), Bytes(Assert.Single(rig.Store.Distincts)));
        await rig.Start();
    }

    [Fact]
    public void A_refused_batch_holds_no_room()
    {
        ElementStates states = new(new ElementHasher(new byte[32]));
        NamespaceState owner = new(0, new NamespaceDefinition(Rig.Namespace, Tier.Strong));
        CounterState counter = new(owner, new CounterDefinition("users", CounterKind.Distinct), 1);
        const ulong Full = 1;
        const ulong Free = 2;
        for (int i = 0; i < EngineLimits.MaxExactElements; i++)
        {
            states.Add(counter, Full, Element(i), 2);
        }

        ElementColumns mixed = new();
        mixed.AddElement(Free, Element(1));
        mixed.AddElement(Free, Element(2));
        mixed.AddElement(Full, Element(-1));
        Assert.Equal(RejectionReason.QuotaExceeded, states.TryReserve(mixed, _ => counter, out long reserved)!.Reason);
        Assert.Equal((0, 0), (reserved, states.Reserved));

        // What others hold on their way leaves no room on the node.
        ElementColumns many = new();
        for (int i = 0; i < EngineLimits.MaxExactElements; i++)
        {
            many.AddElement(Free, Element(i));
        }

        for (long held = states.Kept; held < EngineLimits.MaxExactElementsOfNode; held += many.DistinctCount)
        {
            Assert.Null(states.TryReserve(many, _ => counter, out _));
        }

        long before = states.Reserved;
        Assert.Equal(RejectionReason.QuotaExceeded, states.TryReserve(many, _ => counter, out reserved)!.Reason);
        Assert.Equal((0, before), (reserved, states.Reserved));

        static UInt128 Element(int i) => new((ulong)i * 0x9E3779B97F4A7C15, (ulong)i);
    }

    private static string Bytes(Sketch.Engine.Checkpoints.StoredDistinct d) =>
        $"{d.Id} {d.Generation} {d.Position} {d.IsExact} {d.ExactCount} {d.Added} {d.Changes} {BitConverter.DoubleToInt64Bits(d.NewElements)} "
        + $"{BitConverter.DoubleToInt64Bits(d.Variance)} {Convert.ToHexString(d.Ranks)} {string.Join(',', d.Indexes)} {Convert.ToHexString(d.Sketch)}";
}
