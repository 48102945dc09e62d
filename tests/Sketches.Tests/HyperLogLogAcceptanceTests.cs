namespace Sketch.Tests.Sketches;

/// <summary>A thousand trials at each size; the full grid is in bench/Sketches.Bench.</summary>
public sealed class HyperLogLogAcceptanceTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(12)]
    [InlineData(14)]
    public void No_bias_no_bump_and_the_theoretical_error_at_every_size(int precision)
    {
        const int Trials = 1_000;
        long m = 1 << precision;
        long[] small = [1, 10, 100, m / 4, m, 2 * m, 5 * m / 2, 3 * m, 5 * m];
        Array.Sort(small);
        CardinalityError[] results =
        [
            .. CardinalityError.ByAdding(precision, small, Trials, seed: 1),
            .. CardinalityError.ByDrawing(precision, [1_000_000, 10_000_000, 100_000_000, 1_000_000_000], Trials, seed: 2),
        ];
        Assert.All(results, r => Assert.InRange(r.Bias, -0.15, 0.15));
        Assert.All(results, r => Assert.InRange(r.Rmse, 0, 1.10));
        Assert.All(results.Where(r => r.Elements >= 10 * m), r => Assert.InRange(r.Rmse, 0.90, 1.10));
        Assert.All(results.Where(r => r.Elements <= 100), r => Assert.True(r.ExactShare >= 0.99));
    }
}
