using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Tests.Accuracy;

public sealed class DistinctEstimateTests
{
    private static ulong Hash(int trial, long n) => Streams.Id(((ulong)trial << 36) + (ulong)n);

    private static HyperLogLog Base(int trial, long elements)
    {
        HyperLogLog state = new(1);
        for (long n = 0; n < elements; n++)
            state.Add(Hash(trial, n));
        return state;
    }

    [Theory]
    [InlineData(300)]
    [InlineData(20_000)]
    public void Bounds_of_a_state_cover_the_truth(int elements)
    {
        const int Trials = 400;
        int covered = 0, cut = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            Estimate estimate = DistinctEstimate.From(Base(trial, elements), 0.95);
            if (estimate.Lower <= elements && elements <= estimate.Upper)
                covered++;
            long half = (estimate.Upper - estimate.Lower) / 6;
            if (Math.Abs(elements - estimate.Value) <= half)
                cut++;
        }

        Assert.True(covered >= 0.925 * Trials, $"{covered} of {Trials}");
        // Bounds a third as wide must fail where there is an error at all.
        Assert.True(elements < 1_000 || cut < 0.8 * Trials, $"{cut} of {Trials} with cut bounds");
    }

    [Fact]
    public void The_martingale_errs_only_by_what_came_after_the_checkpoint()
    {
        const int Trials = 2_000, Start = 100_000;
        MartingaleTrials percent = new(Start, 1_000), tenth = new(Start, 10_000);
        ulong[] elements = new ulong[Start];
        for (int trial = 0; trial < Trials; trial++)
        {
            for (int n = 0; n < Start; n++)
                elements[n] = Hash(trial, n);
            HyperLogLog state = new(1);
            state.Add(elements);
            DistinctMartingale martingale = new(state, Start);
            for (int n = 0; n < tenth.Added; n++)
            {
                martingale.Add(Hash(trial, Start + n));
                martingale.Add(elements[n]); // repeats change nothing
                if (n + 1 == percent.Added)
                    percent.Take(martingale);
            }

            tenth.Take(martingale);
        }

        Assert.InRange(percent.Rmse, 0, 0.0020);
        Assert.InRange(tenth.Rmse, 0, 0.0060);
        Assert.InRange(percent.Coverage, 0.935, 0.97);
        Assert.InRange(tenth.Coverage, 0.935, 0.97);
        Assert.True(percent.Cut < 0.75 && tenth.Cut < 0.75);
    }

    [Fact]
    public void A_union_of_partitions_grows_from_its_exact_checkpoint()
    {
        const int Trials = 150, Start = 40_000, Added = 2_000;
        int covered = 0, cut = 0;
        double widths = 0;
        for (int trial = 0; trial < Trials; trial++)
        {
            HyperLogLog before = Base(trial, Start), now = Base(trial, Start + Added);
            Estimate estimate = DistinctEstimate.FromUnion(Start, before, now, Added * 3, 0.95);
            if (estimate.Lower <= Start + Added && Start + Added <= estimate.Upper)
                covered++;
            if (Math.Abs(Start + Added - estimate.Value) <= (estimate.Upper - estimate.Value) / 4)
                cut++;
            widths += estimate.Upper - estimate.Lower;
            Assert.True(estimate.Lower >= Start);
        }

        Assert.True(covered >= 0.91 * Trials, $"{covered} of {Trials}");
        Assert.True(cut < 0.91 * Trials, $"{cut} of {Trials} with cut bounds");
        // Narrower than the union alone would be.
        Assert.True(widths / Trials < 0.8 * 2 * 1.96 * 0.0162 * Start);
    }

    [Fact]
    public void Nothing_added_is_exact()
    {
        Assert.Equal(Estimate.Exact(0), DistinctEstimate.From(new HyperLogLog(1), 0.99));
        Assert.Equal(Estimate.Exact(50_000), DistinctEstimate.From(new DistinctMartingale(Base(1, 50_000), 50_000), 0.99));
    }

    [Fact]
    public void Few_new_elements_are_within_certain_bounds()
    {
        DistinctMartingale martingale = new(Base(1, 50_000), 50_000);
        // Most new elements do not show at this size: what does not show is not excluded either.
        for (int i = 0; i < 10; i++)
        {
            martingale.Add(Hash(1, 50_001 + i));
            Estimate estimate = DistinctEstimate.From(martingale, 0.99);
            Assert.InRange(estimate.Lower, 50_000, 50_001 + i);
            Assert.Equal(50_001 + i, estimate.Upper);
        }
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => DistinctEstimate.From(new HyperLogLog(1), 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DistinctMartingale(new HyperLogLog(1), -1));
    }
}
