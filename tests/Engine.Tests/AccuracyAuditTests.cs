using System.Diagnostics.Metrics;
using System.Text;
using Sketch.Engine.Audit;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;
using Sketch.Engine.Reads;
using Sketch.Sketches;

namespace Sketch.Tests.Engine;

public sealed class AccuracyAuditTests
{
    private const int Names = 8_000;

    // 16 KiB for thousands of names: hardly an estimate is right.
    private const long SketchBytes = 16 << 10;

    private static string Name(int i) => $"n{i}";

    private static async Task<long[]> Count(Rig rig, int seed)
    {
        long[] truth = new long[Names];
        Random random = new(seed);
        for (int b = 0; b < 5; b++)
        {
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            for (int i = 0; i < 10_000; i++)
            {
                int name = (int)(Names * Math.Pow(random.NextDouble(), 3));
                int delta = 1 + random.Next(5);
                truth[name] += delta;
                Assert.Null(batch.Add(Encoding.UTF8.GetBytes(Name(name)), delta));
            }

            Assert.Equal(IncrementStatus.Accepted, (await rig.Engine.CommitAsync(batch, null, 0, default)).Status);
        }

        return truth;
    }

    // The same figures from what readers saw before the checkpoint and the truth that the test counted itself.
    private static (int Counters, int Covered, double Bias, long Largest) Outside(Rig rig, long[] truth, long[] before, double confidence)
    {
        string[] names = [.. Enumerable.Range(0, Names).Select(Name)];
        IReadOnlyList<CounterValue?> values = rig.Engine.Read(Rig.Namespace, names, confidence);
        int covered = 0, counters = 0;
        long errors = 0, largest = 0;
        for (int i = 0; i < Names; i++)
        {
            if (truth[i] == 0)
            {
                continue;
            }

            long all = truth[i] + before[i];
            counters++;
            covered += values[i]!.Lower <= all && all <= values[i]!.Upper ? 1 : 0;
            errors += values[i]!.Value - all;
            largest = Math.Max(largest, Math.Abs(values[i]!.Value - all));
        }

        return (counters, covered, (double)errors / counters, largest);
    }

    [Fact]
    public async Task Figures_equal_those_computed_outside_from_what_readers_saw()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate, SketchBytes);
        Assert.Equal((0, 0, 0), (rig.Engine.AccuracyOf(Rig.Namespace).Windows, rig.Engine.AccuracyOf(Rig.Namespace).Counters, rig.Engine.AccuracyOf(Rig.Namespace).Bounds.Count));
        long[] before = new long[Names];
        long compared = 0, covered95 = 0, covered99 = 0, largest = 0;
        for (int window = 1; window <= 3; window++)
        {
            long[] truth = await Count(rig, window);
            (int counters, int at95, _, _) = Outside(rig, truth, before, 0.95);
            (_, int at99, double bias, long most) = Outside(rig, truth, before, 0.99);
            await rig.Checkpoint();

            NamespaceAccuracy figures = rig.Engine.AccuracyOf(Rig.Namespace);
            AuditedWindow last = figures.Last!;
            Assert.Equal((counters, counters, 0), (last.Sketched, last.Compared, last.AboveUpper));
            Assert.Equal((double)at95 / counters, last.Coverage[0], 12);
            Assert.Equal((double)at99 / counters, last.Coverage[1], 12);
            Assert.Equal(bias, last.Bias, 9);
            Assert.Equal(most, last.LargestError);
            Assert.Equal((rig.Store.Checkpoints[^1].From, rig.Store.Checkpoints[^1].To), (last.From, last.To));
            (compared, covered95, covered99, largest) = (compared + counters, covered95 + at95, covered99 + at99, Math.Max(largest, most));
            Assert.Equal((window, compared, largest, 0), (figures.Windows, figures.Counters, figures.LargestError, figures.AboveUpper));
            Assert.Equal([(0.95, covered95), (0.99, covered99)], figures.Bounds.Select(b => (b.Confidence, b.Covered)));
            Assert.Null(figures.Warning);
            before = [.. before.Zip(truth, (a, b) => a + b)];
        }

        Assert.Empty(rig.Warnings.Messages);
        Assert.Null(rig.Engine.AccuracyOf(Rig.Namespace).Warning);
    }

    [Fact]
    public async Task Estimates_that_err_more_than_their_bounds_say_raise_a_warning_until_they_are_history()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate, sketchBytes: 1 << 20);
        await Count(rig, 1);
        // Planted: every eighth id gets more behind the engine's back, in so large a sketch that no ghost sees it.
        CountMinSketch sketch = rig.Engine.View.Open.Sketch!;
        for (int i = 0; i < Names; i += 8)
        {
            sketch.Add(CounterId.Of(Rig.Namespace, Name(i)), 5_000);
        }

        await rig.Checkpoint();
        NamespaceAccuracy figures = rig.Engine.AccuracyOf(Rig.Namespace);
        Assert.All(figures.Bounds, b => Assert.True(b.FallsShort && b.Coverage < b.LeastCoverage, b.ToString()));
        Assert.InRange(figures.Bounds[1].Coverage, 0.80, 0.92);
        Assert.Contains("too narrow: bounds of 95 % held for 8", figures.Warning, StringComparison.Ordinal);
        Assert.Equal(figures.Warning, Assert.Single(rig.Warnings.Messages));

        // Still wrong over the last windows: said once, shown as long as it is true.
        await Count(rig, 2);
        await rig.Checkpoint();
        Assert.NotNull(rig.Engine.AccuracyOf(Rig.Namespace).Warning);
        Assert.Single(rig.Warnings.Messages);

        for (int window = 0; window < NamespaceAudit.RecentWindows; window++)
        {
            await rig.Add("n1", 1);
            await rig.Checkpoint();
        }

        Assert.Null(rig.Engine.AccuracyOf(Rig.Namespace).Warning);
        Assert.Equal(NamespaceAudit.RecentWindows + 2, rig.Engine.AccuracyOf(Rig.Namespace).Windows);
    }

    [Fact]
    public async Task Estimates_below_the_truth_raise_a_warning_at_once()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate, SketchBytes);
        await Count(rig, 1);
        // Planted: the sketch forgets everything, which no ghost can show.
        rig.Engine.View.Open.Sketch!.Clear(new SketchKey(1, 2));
        await rig.Checkpoint();
        Assert.Contains("above their upper bound, which must never be", Assert.Single(rig.Warnings.Messages), StringComparison.Ordinal);
        NamespaceAccuracy figures = rig.Engine.AccuracyOf(Rig.Namespace);
        Assert.Equal(figures.Counters, figures.AboveUpper);
        Assert.Equal(figures.Warning, Assert.Single(rig.Warnings.Messages));
    }

    [Fact]
    public async Task Exact_counters_are_not_compared_and_those_that_changed_their_tier_only_as_far_as_they_were_sketched()
    {
        await using Rig rig = await Rig.Open(Tier.Eventual);
        await rig.Add("kept", 5);
        await rig.Checkpoint();
        Assert.Equal(0, rig.Engine.AccuracyOf(Rig.Namespace).Windows);

        await rig.Add("both", -7);
        Assert.Null(await rig.Engine.DefineCounterAsync(Rig.Namespace, new CounterDefinition("both", Tier: Tier.Approximate), default));
        await rig.Add("both", 20);
        await rig.Add("kept", 5);
        await rig.Checkpoint();
        NamespaceAccuracy figures = rig.Engine.AccuracyOf(Rig.Namespace);
        Assert.Equal((1, 1, 0, 0), (figures.Last!.Sketched, figures.Last.Compared, figures.LargestError, figures.AboveUpper));
        Assert.Equal([1.0, 1.0], figures.Last.Coverage);
    }

    [Fact]
    public async Task Counters_that_begin_anew_are_not_compared()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        await rig.Add("reset", 50);
        await rig.Add("deleted", 50);
        await rig.Checkpoint();
        await rig.Add("reset", 1);
        await rig.Add("kept", 7);
        await rig.Reset("reset");
        await rig.Delete("deleted");
        await rig.Add("reset", 2);
        await rig.Checkpoint();
        NamespaceAccuracy figures = rig.Engine.AccuracyOf(Rig.Namespace);
        Assert.Equal((2, 2, 0, 0), (figures.Windows, figures.Last!.Compared, figures.LargestError, figures.AboveUpper));
        Assert.Empty(rig.Warnings.Messages);
    }

    [Fact]
    public async Task A_distinct_counter_explains_its_bounds_too()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate);
        await rig.Define("users", CounterKind.Distinct, Tier.Strong);
        await rig.AddElements("users", "ann", "bob", "ann");
        CounterAccuracy accuracy = (await rig.Engine.AccuracyOfAsync(Rig.Namespace, "users", 0.95, CancellationToken.None))!;
        Assert.Equal((2, true, null), (accuracy.Value.Value, accuracy.Value.Exact, accuracy.Sketch));
        Assert.StartsWith("Exactly 2 distinct elements", accuracy.Explanation, StringComparison.Ordinal);

        await rig.Define("many", CounterKind.Distinct, Tier.Approximate);
        await rig.AddElements("many", Enumerable.Range(0, 20_000).Select(i => $"e{i}"));
        CounterAccuracy about = (await rig.Engine.AccuracyOfAsync(Rig.Namespace, "many", 0.95, CancellationToken.None))!;
        Assert.InRange(20_000, about.Value.Lower - 2_000, about.Value.Upper + 2_000);
        Assert.Contains(about.Value.Exact ? "Exactly" : "in 95 % of cases", about.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_counters_are_sampled_evenly()
    {
        const int Many = 150_000;
        await using Rig rig = await Rig.Open(Tier.Approximate, SketchBytes);
        for (int b = 0; b < Many / 10_000; b++)
        {
            using IncrementBatch batch = rig.Engine.RentBatch(Rig.Namespace)!;
            for (int i = 0; i < 10_000; i++)
            {
                Assert.Null(batch.Add(Encoding.UTF8.GetBytes(Name((b * 10_000) + i)), 1));
            }

            await rig.Engine.CommitAsync(batch, null, 0, default);
        }

        await rig.Checkpoint();
        AuditedWindow last = rig.Engine.AccuracyOf(Rig.Namespace).Last!;
        Assert.Equal((Many, Many / 3), (last.Sketched, last.Compared));
        Assert.True(last.Compared <= AccuracyAudit.MaxCompared);
        Assert.True(last.Coverage[0] >= 0.94 && last.Coverage[1] >= 0.985, string.Join(' ', last.Coverage));
    }

    [Fact]
    public async Task Instruments_tell_the_same()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate, SketchBytes);
        await Count(rig, 1);
        await rig.Checkpoint();
        Dictionary<string, double> seen = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (ReferenceEquals(instrument.Meter, rig.Engine.Meter))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            seen[string.Join(' ', [instrument.Name, .. tags.ToArray().Select(t => $"{t.Key}={t.Value}")])] = value;
        listener.SetMeasurementEventCallback<double>((i, v, t, _) => Note(i, v, t));
        listener.SetMeasurementEventCallback<long>((i, v, t, _) => Note(i, v, t));
        listener.SetMeasurementEventCallback<int>((i, v, t, _) => Note(i, v, t));
        listener.Start();
        listener.RecordObservableInstruments();

        NamespaceAccuracy figures = rig.Engine.AccuracyOf(Rig.Namespace);
        Assert.Equal(50_000, seen["increments"]);
        Assert.Equal(figures.Counters, seen["accuracy_compared namespace=words"]);
        Assert.Equal(figures.LargestError, seen["accuracy_largest_error namespace=words"]);
        Assert.Equal(figures.Bias, seen["accuracy_bias namespace=words"]);
        Assert.Equal(figures.Bounds[1].Coverage, seen["accuracy_coverage namespace=words confidence=0.99"]);
        Assert.Equal(figures.Bounds[0].Coverage, seen["accuracy_coverage namespace=words confidence=0.95"]);
        Assert.Equal((0, 0, 0), (seen["accuracy_above_upper namespace=words"], seen["accuracy_falls_short namespace=words"], seen["accuracy_warnings"]));
        Assert.Equal(rig.Engine.Status.CheckpointPosition, seen["checkpoint_position"]);
    }

    [Fact]
    public async Task A_counter_explains_its_bounds()
    {
        await using Rig rig = await Rig.Open(Tier.Approximate, SketchBytes);
        long[] truth = await Count(rig, 1);
        await rig.Checkpoint();
        long[] more = await Count(rig, 2);
        CounterAccuracy live = (await rig.Engine.AccuracyOfAsync(Rig.Namespace, "n1", 0.95, CancellationToken.None))!;
        Assert.Equal(rig.Read("n1", 0.95)! with { RatePerSecond = 0 }, live.Value with { RatePerSecond = 0 });
        Assert.Equal(truth[1], live.ExactPart);
        Assert.InRange(live.Sketched, more[1], long.MaxValue);
        Assert.Equal(live.Value.Upper, live.ExactPart + live.Sketched);
        Assert.Equal(live.Value.Lower, live.ExactPart + Math.Max(0, live.Sketched - live.ErrorAtMost!.Value));
        Assert.True(live.LikelyError <= live.ErrorAtMost && live.ErrorAtMost < live.TextbookError);
        Assert.Equal(new SketchShape(SketchBytes, SketchBytes / 16, 4), live.Sketch);
        Assert.Contains("in a count-min sketch of 16,384 bytes (4 rows of 1,024 cells)", live.Explanation, StringComparison.Ordinal);
        Assert.Contains("the truth is between", live.Explanation, StringComparison.Ordinal);
        Assert.Null((await rig.Engine.AccuracyOfAsync(Rig.Namespace, "n1", 0.9999, CancellationToken.None))!.ErrorAtMost);

        await rig.Checkpoint();
        CounterAccuracy stored = (await rig.Engine.AccuracyOfAsync(Rig.Namespace, "n1", 0.95, CancellationToken.None))!;
        Assert.Equal((true, 0, null), (stored.Value.Exact, stored.Sketched, stored.Sketch));
        Assert.Equal(truth[1] + more[1], stored.ExactPart);
        Assert.StartsWith("Exactly ", stored.Explanation, StringComparison.Ordinal);
        Assert.Null(await rig.Engine.AccuracyOfAsync(Rig.Namespace, "nobody", 0.95, CancellationToken.None));
        Assert.Throws<ArgumentException>(() => rig.Engine.AccuracyOf("nowhere"));

        Assert.Null(await rig.Engine.DefineCounterAsync(Rig.Namespace, new CounterDefinition("exact", Tier: Tier.Strong), default));
        await rig.Add("exact", 3);
        Assert.Equal("The tier strong keeps every increment exactly: 3 is the sum of all that were read so far.", (await rig.Engine.AccuracyOfAsync(Rig.Namespace, "exact", 0.95, CancellationToken.None))!.Explanation);
    }
}
