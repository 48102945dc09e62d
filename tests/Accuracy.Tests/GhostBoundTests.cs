using Sketch.Accuracy;

namespace Sketch.Tests.Accuracy;

public sealed class GhostBoundTests
{
    [Theory]
    [InlineData(2048, 0.95, 1966)] // 2048 * 0.95 = 1945.6, + 2 * 9.86
    [InlineData(2048, 0.99, 2037)] // 2027.5 + 2 * 4.50
    [InlineData(2048, 0.9999, 2049)] // not enough of them
    [InlineData(16, 0.5, 12)]
    [InlineData(1, 0.5, 2)]
    public void The_order_statistic_lies_two_standard_errors_above_the_quantile(int ghosts, double confidence, int rank) =>
        Assert.Equal(rank, GhostBound.OrderStatistic(ghosts, confidence));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-0.5)]
    [InlineData(double.NaN)]
    public void A_confidence_out_of_range_is_refused(double confidence) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => GhostBound.OrderStatistic(100, confidence));

    [Theory]
    [InlineData(0.95)]
    [InlineData(0.99)]
    [InlineData(0.9999)]
    public void The_fewest_ghosts_can_vouch_for_the_confidence(double confidence)
    {
        int fewest = GhostBound.FewestGhosts(confidence);
        Assert.True(GhostBound.OrderStatistic(fewest, confidence) <= fewest);
        Assert.True(GhostBound.OrderStatistic(fewest * 9 / 10, confidence) > fewest * 9 / 10);
    }
}
