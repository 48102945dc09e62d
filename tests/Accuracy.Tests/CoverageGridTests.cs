namespace Sketch.Tests.Accuracy;

/// <summary>
/// The whole grid at a size for every build; `dotnet run -c Release --project bench/Sketches.Bench -- accuracy` runs it larger, with
/// several seeds.
/// </summary>
public sealed class CoverageGridTests
{
    [Fact]
    public void Every_cell_of_the_grid_covers_what_it_says()
    {
        CoverageResult[] results =
            [.. CoverageCell.Grid().AsParallel().WithDegreeOfParallelism(2).Select(cell => cell.Run(60_000, 25_000, 48 << 10, seed: 1))];
        Assert.Equal(126, results.Length);
        Assert.All(results, r => Assert.Equal(0, r.AboveUpper));
        Assert.All(results, r => Assert.True(r.At95 >= 0.945 && r.At99 >= 0.988, r.ToString()));
        Assert.All(results, r => Assert.True(r.Once95 >= 0.945 && r.Once99 >= 0.988, r.ToString()));
        Assert.All(results, r => Assert.True(r.Top95 >= 0.945 && r.Top99 >= 0.988, r.ToString()));
        Assert.All(results, r => Assert.True(r.Quantile95 <= r.Textbook / 2, r.ToString()));
        // Tight: no wider than twice the error that is really there, and five increments.
        Assert.All(results, r => Assert.True(r.Quantile95 <= 2 * r.RealError95 + 5 * r.MeanDelta, r.ToString()));
        // Which a textbook's bound would not be.
        Assert.True(results.Count(r => r.Textbook > 2 * r.RealError95 + 5 * r.MeanDelta) > 100);
        // And the check can fail: with the bound cut, every cell with an error to speak of is found out.
        Assert.All(results.Where(r => r.RealError95 > 4), r => Assert.True(r.Cut < 0.945, r.ToString()));
        Assert.True(results.Count(r => r.RealError95 > 4) > 60);
    }
}
