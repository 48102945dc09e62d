using System.Text;
using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;
using Sketch.Engine.Reads;

namespace Sketch.Tests.Engine;

public sealed class CountingTests
{
    [Theory]
    [InlineData(Tier.Strong)]
    [InlineData(Tier.Eventual)]
    [InlineData(Tier.Approximate)]
    public async Task An_acknowledged_increment_is_in_the_next_read(Tier tier)
    {
        await using Rig rig = await Rig.Open(tier);

        for (int i = 1; i <= 50; i++)
        {
            await rig.Add("a", i);
            CounterValue value = rig.Read("a")!;
            Assert.Equal(i * (i + 1) / 2, value.Value);
            Assert.InRange(value.Value, value.Lower, value.Upper);
        }
    }

    [Fact]
    public async Task A_checkpoint_stores_the_sums_and_changes_no_value()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        await rig.Send(null, 0, ("a", 3), ("b", 4), ("a", 5));
        CounterValue before = rig.Read("a")!;

        await rig.Checkpoint();

        CounterValue after = rig.Read("a")!;
        Assert.False(before.Exact);
        Assert.True(after.Exact);
        Assert.Equal((8, 8, 8), (after.Value, after.Lower, after.Upper));
        Assert.Equal(1, after.Confidence);
        Assert.Equal(8, rig.Store.Total(Rig.Namespace, "a"));
        Assert.Equal(4, rig.Store.Total(Rig.Namespace, "b"));
    }

    [Fact]
    public async Task Exact_as_of_is_right_before_the_first_increment_that_is_not_exact_yet()
    {
        await using Rig rig = await Rig.Open();
        await rig.Checkpoint();
        rig.Time.Advance(TimeSpan.FromMinutes(1));
        DateTimeOffset first = rig.Time.GetUtcNow();
        await rig.Add("a", 1);
        rig.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(first.AddMilliseconds(-1), rig.Read("a")!.ExactAsOf);
        await rig.Checkpoint();
        Assert.Equal(rig.Time.GetUtcNow(), rig.Read("a")!.ExactAsOf);
    }

    [Fact]
    public async Task A_batch_sent_again_counts_once_and_gets_the_first_position()
    {
        await using Rig rig = await Rig.Open();
        IncrementResult first = await rig.Send("p", 1, ("a", 1));
        IncrementResult again = await rig.Send("p", 1, ("a", 1));
        await rig.Checkpoint();
        await rig.Restart();
        IncrementResult afterRestart = await rig.Send("p", 1, ("a", 1));

        Assert.Equal(new IncrementResult(IncrementStatus.Accepted, 1, false, first.Position), first);
        Assert.Equal(first with { Duplicate = true }, again);
        Assert.Equal(first with { Duplicate = true }, afterRestart);
        Assert.Equal(1, rig.Read("a")!.Value);
    }

    [Fact]
    public async Task A_sequence_overtaken_by_a_later_one_still_counts_until_it_leaves_the_window()
    {
        await using Rig rig = await Rig.Open();
        await rig.Send("p", 200, ("a", 1));
        await rig.Send("p", 300, ("a", 0));

        IncrementResult overtaken = await rig.Send("p", 300 - EngineLimits.ProducerWindow + 1, ("a", 10));
        IncrementResult tooOld = await rig.Send("p", 300 - EngineLimits.ProducerWindow, ("a", 100));

        Assert.Equal(IncrementStatus.Accepted, overtaken.Status);
        Assert.Equal(IncrementStatus.SequenceTooOld, tooOld.Status);
        Assert.Equal(11, rig.Read("a")!.Value);
    }

    [Fact]
    public async Task A_sequence_too_far_ahead_counts_nothing_and_names_the_newest()
    {
        await using Rig rig = await Rig.Open();
        IncrementResult first = await rig.Send("p", EngineLimits.ProducerWindow + 1, ("a", 1));
        Assert.Equal((IncrementStatus.SequenceGap, 0L), (first.Status, first.Position));

        await rig.Send("p", 10, ("a", 1));
        IncrementResult gap = await rig.Send("p", 11 + EngineLimits.ProducerWindow, ("a", 1));
        Assert.Equal((IncrementStatus.SequenceGap, 10L), (gap.Status, gap.Position));
        Assert.Equal(1, rig.Read("a")!.Value);

        // What was missing comes, and the batch counts once.
        await rig.Send("p", 11, ("a", 1));
        Assert.Equal(IncrementStatus.Accepted, (await rig.Send("p", 11 + EngineLimits.ProducerWindow, ("a", 1))).Status);
        Assert.Equal(3, rig.Read("a")!.Value);
    }

    [Fact]
    public async Task Two_senders_who_share_a_producer_are_told_and_their_batches_are_not_taken_for_retries()
    {
        await using Rig rig = await Rig.Open();
        await rig.Define("users", CounterKind.Distinct);
        await rig.Send("p", 1, ("a", 1), ("b", 2));
        await rig.SendElements("p", 2, ("a", null, 1), ("users", "ann", null));
        await rig.Checkpoint();
        await rig.Restart();

        Assert.Equal(IncrementStatus.ProducerShared, (await rig.Send("p", 1, ("a", 1), ("c", 2))).Status);
        Assert.Equal(IncrementStatus.ProducerShared, (await rig.Send("p", 1, ("a", 1), ("b", 3))).Status);
        Assert.Equal(IncrementStatus.ProducerShared, (await rig.Send("p", 1, ("a", 1))).Status);
        Assert.Equal(IncrementStatus.ProducerShared, (await rig.SendElements("p", 2, ("a", null, 1), ("users", "bob", null))).Status);
        Assert.True((await rig.SendElements("p", 2, ("a", null, 1), ("users", "ann", null))).Duplicate);

        // A retry is the same batch whatever the order, and though a counter's rows go elsewhere since its tier changed.
        await rig.Define("b", CounterKind.Sum, Tier.Approximate);
        Assert.True((await rig.Send("p", 1, ("b", 2), ("a", 1))).Duplicate);
        Assert.Equal((2L, 2L, 1L), (rig.Read("a")!.Value, rig.Read("b")!.Value, rig.Read("users")!.Value));
    }

    [Fact]
    public async Task A_producer_that_was_quiet_too_long_is_forgotten_and_can_not_go_on_where_it_was()
    {
        await using Rig rig = await Rig.Open();
        for (int sequence = 1; sequence <= 300; sequence++)
        {
            await rig.Send("p", sequence, ("a", 1));
        }

        rig.Time.Advance(EngineLimits.ProducerMemory - TimeSpan.FromHours(1));
        await rig.Send("q", 1, ("a", 1));
        await rig.Checkpoint();
        Assert.True((await rig.Send("p", 300, ("a", 1))).Duplicate);

        rig.Time.Advance(EngineLimits.ProducerMemory + TimeSpan.FromHours(1));
        await rig.Send("r", 1, ("a", 1));
        await rig.Checkpoint();
        await rig.Restart();
        IncrementResult late = await rig.Send("p", 300, ("a", 1));
        Assert.Equal((IncrementStatus.SequenceGap, 0L), (late.Status, late.Position));
        Assert.Equal(302, rig.Read("a")!.Value);
    }

    [Fact]
    public async Task What_was_not_checkpointed_is_replayed_from_the_log()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        await rig.Add("a", 5);
        await rig.Checkpoint();
        await rig.Add("a", 7);
        await rig.Add("new", 1);

        await rig.Restart();

        Assert.Equal(12, rig.Read("a")!.Value);
        Assert.Equal(1, rig.Read("new")!.Value);
        await rig.Checkpoint();
        Assert.Equal(12, rig.Store.Total(Rig.Namespace, "a"));
    }

    [Fact]
    public async Task While_the_store_fails_values_stay_right_and_later_everything_is_stored_once()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        rig.Store.FailNext = 2;
        rig.Store.LoseAnswers = 1;
        await rig.Add("a", 5);
        Task checkpoint = rig.Checkpoint();
        while (!checkpoint.IsCompleted)
        {
            Assert.Equal(5, rig.Read("a")!.Value);
            rig.Time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        await checkpoint;
        Assert.Equal(5, rig.Store.Total(Rig.Namespace, "a"));
        Assert.Equal(5, rig.Read("a")!.Value);
        Assert.Null(rig.Engine.Status.CheckpointError);
    }

    [Fact]
    public async Task A_window_does_not_span_an_hour()
    {
        await using Rig rig = await Rig.Open();
        rig.Time.Advance(TimeSpan.FromMinutes(59));
        await rig.Add("a", 1);
        rig.Time.Advance(TimeSpan.FromMinutes(2));
        await rig.Add("a", 2);
        await rig.Checkpoint();

        Assert.All(rig.Store.Checkpoints, c => Assert.Equal(c.FirstTimeMs / 3_600_000, c.LastTimeMs / 3_600_000));
        Assert.Equal([1L, 2L], rig.Store.Checkpoints.Where(c => c.Deltas.Count > 0).Select(c => c.Deltas.Single().Delta));
    }

    [Fact]
    public async Task A_window_of_one_record_between_two_hours_is_stored_although_nothing_is_counted_after_it()
    {
        await using Rig rig = await Rig.Open();
        await rig.Send("ann", 1, ("a", 1));
        rig.Time.AdjustTime(rig.Time.GetUtcNow().AddHours(1));
        await rig.Send("ann", 2, ("a", 2));
        rig.Time.AdjustTime(rig.Time.GetUtcNow().AddHours(1));
        Assert.True((await rig.Send("ann", 2, ("a", 2))).Duplicate);
        await rig.Checkpoint();
        Assert.Equal([1L, 2L], rig.Store.Checkpoints.Where(c => c.Deltas.Count > 0).Select(c => c.Deltas.Single().Delta));
    }

    [Fact]
    public async Task Names_are_found_whether_they_are_stored_or_only_in_the_log()
    {
        await using Rig rig = await Rig.Open();
        await rig.Send(null, 0, ("apple", 1), ("apricot", 1), ("\U0001F600", 1), ("\uFFFD", 1));
        await rig.Checkpoint();
        await rig.Send(null, 0, ("apart", 1), ("banana", 1), ("apple", 1));

        Assert.Equal(["apart", "apple", "apricot"], await rig.Engine.FindAsync(Rig.Namespace, "ap", null, 10, default));
        Assert.Equal(["apricot", "banana"], await rig.Engine.FindAsync(Rig.Namespace, "", "apple", 2, default));
        Assert.Equal(["\uFFFD", "\U0001F600"], await rig.Engine.FindAsync(Rig.Namespace, "", "banana", 9, default));
    }

    [Fact]
    public async Task An_unknown_counter_is_null_and_an_unknown_namespace_has_no_batch()
    {
        await using Rig rig = await Rig.Open();

        Assert.Null(rig.Read("never"));
        Assert.Null(rig.Engine.RentBatch("nowhere"));
        Assert.False(rig.Engine.HasNamespace("nowhere"));
    }

    [Theory]
    [InlineData("", 1, "name")]
    [InlineData("tab\t", 1, "name")]
    [InlineData("a", EngineLimits.MaxDelta + 1, "delta")]
    [InlineData("a", -EngineLimits.MaxDelta - 1, "delta")]
    [InlineData("a", -1, "delta")]
    public async Task A_bad_increment_is_refused_by_field_and_leaves_the_batch_as_it_was(string name, long delta, string field)
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;

        Rejection? rejection = batch.Add(Encoding.UTF8.GetBytes(name), delta);

        Assert.Equal(field, rejection!.Field);
        Assert.Equal(0, batch.Count);
        Assert.NotNull(batch.Add(new byte[EngineLimits.MaxNameBytes + 1], 1));
        Assert.NotNull(batch.Add([0xC3, 0x28], 1));
    }

    [Fact]
    public async Task No_total_can_overflow_because_the_namespace_is_full_before()
    {
        await using Rig rig = await Rig.Open();
        (string, long)[] largest = [.. Enumerable.Repeat(("a", EngineLimits.MaxDelta), EngineLimits.MaxBatchIncrements)];
        long fits = (1L << 62) / (EngineLimits.MaxDelta * EngineLimits.MaxBatchIncrements);
        for (int i = 0; i < fits; i++)
        {
            Assert.Equal(IncrementStatus.Accepted, (await rig.Send(null, 0, largest)).Status);
        }

        await rig.Restart();
        IncrementResult refused = await rig.Send(null, 0, largest);

        Assert.Equal((IncrementStatus.Rejected, RejectionReason.QuotaExceeded), (refused.Status, refused.Rejection!.Reason));
        Assert.Equal(fits * EngineLimits.MaxDelta * EngineLimits.MaxBatchIncrements, rig.Read("a")!.Value);
    }

    [Fact]
    public async Task A_namespace_takes_no_more_counters_than_it_may_hold()
    {
        await using Rig rig = await Rig.Open();
        await rig.Engine.DefineNamespaceAsync(new NamespaceDefinition(Rig.Namespace, Tier.Eventual, MaxCounters: 2), default);
        await rig.Send(null, 0, ("a", 1), ("b", 1));

        IncrementResult refused = await rig.Send(null, 0, ("a", 1), ("c", 1));

        Assert.Equal(RejectionReason.QuotaExceeded, refused.Rejection!.Reason);
        Assert.Equal(1, rig.Read("a")!.Value);
        Assert.Null(rig.Read("c"));
    }

    [Fact]
    public async Task A_batch_with_more_new_names_than_there_is_room_for_takes_none_of_it()
    {
        await using Rig rig = await Rig.Open();
        await rig.Engine.DefineNamespaceAsync(new NamespaceDefinition(Rig.Namespace, Tier.Eventual, MaxCounters: 3), default);
        await rig.Send(null, 0, ("a", 1));

        Assert.Equal(IncrementStatus.Rejected, (await rig.Send(null, 0, ("b", 1), ("c", 1), ("d", 1))).Status);

        Assert.Equal(1, rig.Engine.Namespaces.Single().Counters);
        Assert.Equal(IncrementStatus.Accepted, (await rig.Send(null, 0, ("e", 1), ("f", 1))).Status);
    }

    [Fact]
    public async Task A_store_that_lost_its_checkpoints_is_refused_at_start()
    {
        await using Rig rig = await Rig.Open();
        rig.Time.Advance(TimeSpan.FromSeconds(11)); // a snapshot is due
        await rig.Add("a", 1);
        await rig.Checkpoint();
        await rig.Stop();
        rig.Store.Checkpoints.Clear();

        EngineStateException e = await Assert.ThrowsAsync<EngineStateException>(rig.Start);

        Assert.Contains("Restore", e.Message, StringComparison.Ordinal);
        await rig.Log.DisposeAsync();
    }
}
