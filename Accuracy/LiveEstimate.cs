using Sketch.Sketches;

namespace Sketch.Accuracy;

/// <summary>Composes a value from what is known exactly and what a sketch says about the rest.</summary>
public static class LiveEstimate
{
    /// <summary>Composes a value and its bounds; the ghosts must have been evaluated after the estimate was taken.</summary>
    /// <param name="exactPart">The exact total up to the last checkpoint.</param>
    /// <param name="sketchPart">The sum of the id's estimates over the live sketches, 0 or more.</param>
    /// <param name="exactLivePart">What is known exactly of the time after the checkpoint (strong and eventual increments, hot ids).</param>
    /// <param name="ghosts">Evaluated over the very same sketches.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <param name="saturated">True when one of the id's estimates was <see cref="CountMinSketch.SaturatedEstimate"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Estimate From(
        long exactPart, long sketchPart, long exactLivePart, GhostSample ghosts, double confidence, bool saturated = false)
    {
        ArgumentNullException.ThrowIfNull(ghosts);
        return From(exactPart, sketchPart, exactLivePart, ghosts.Quantile(confidence), ghosts.Median, confidence, saturated);
    }

    /// <summary>
    /// Composes a value and its bounds. With e the exact parts and u the sketch part: lower = e + max(0, u - quantile),
    /// upper = e + u. The value is e + u for an id that stands out of the noise (u above the quantile): it led its cells, and
    /// a conservative update keeps a leader's cell nearly exact. Below that it is e + u - median, or lower where that is
    /// larger: such an estimate is mostly noise. u = 0 is exact: a sketch never says 0 of an id that it counted. When u is
    /// saturated, upper is <see cref="long.MaxValue"/>: there is no upper bound to give.
    /// </summary>
    /// <param name="exactPart">The exact total up to the last checkpoint.</param>
    /// <param name="sketchPart">The sum of the id's estimates over the live sketches, 0 or more.</param>
    /// <param name="exactLivePart">What is known exactly of the time after the checkpoint.</param>
    /// <param name="quantile">From <see cref="GhostSample.Quantile"/> at <paramref name="confidence"/>.</param>
    /// <param name="median">From <see cref="GhostSample.Median"/>.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <param name="saturated">True when one of the id's estimates was <see cref="CountMinSketch.SaturatedEstimate"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Estimate From(
        long exactPart, long sketchPart, long exactLivePart, long quantile, long median, double confidence, bool saturated = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sketchPart);
        ArgumentOutOfRangeException.ThrowIfNegative(quantile);
        ArgumentOutOfRangeException.ThrowIfNegative(median);
        long exact = SaturatingAdd(exactPart, exactLivePart);
        if (sketchPart == 0)
            return Estimate.Exact(exact);

        long lower = Math.Max(0, sketchPart - quantile);
        long value = sketchPart > quantile ? sketchPart : Math.Max(lower, sketchPart - median);
        return new Estimate(
            SaturatingAdd(exact, value),
            SaturatingAdd(exact, lower),
            saturated ? long.MaxValue : SaturatingAdd(exact, sketchPart),
            confidence);
    }

    /// <summary>
    /// Composes a value with positive and negative parts, each with its own ghosts at <see cref="GhostBound.Shared"/>(confidence, 2):
    /// lower = e + p - n - quantile of p (never below e - n), upper = e + p - n + quantile of n (never above e + p).
    /// </summary>
    /// <param name="exactPart">Everything known exactly: the checkpoint's total, hot ids, strong and eventual increments.</param>
    /// <param name="positive">The sum of the id's estimates over the sketches of positive deltas.</param>
    /// <param name="negative">The sum of the id's estimates over the sketches of negative deltas.</param>
    /// <param name="positiveError">Ghosts' quantile (at (1 + confidence) / 2) and median over the sketches of positive deltas.</param>
    /// <param name="negativeError">The same over the sketches of negative deltas.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <param name="saturated">True when one of the id's estimates was at its ceiling: then neither side is bounded.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Estimate FromSigned(
        long exactPart,
        long positive,
        long negative,
        (long Quantile, long Median) positiveError,
        (long Quantile, long Median) negativeError,
        double confidence,
        bool saturated = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(positive);
        ArgumentOutOfRangeException.ThrowIfNegative(negative);
        if (negative == 0)
            return From(exactPart, positive, 0, positiveError.Quantile, positiveError.Median, confidence, saturated);

        long middle = positive - negative;
        long lower = Math.Max(-negative, SaturatingAdd(middle, -positiveError.Quantile));
        long upper = Math.Min(positive, SaturatingAdd(middle, negativeError.Quantile));
        long value = Math.Clamp(middle - positiveError.Median + negativeError.Median, lower, upper);
        return new Estimate(
            SaturatingAdd(exactPart, value),
            saturated ? long.MinValue : SaturatingAdd(exactPart, lower),
            saturated ? long.MaxValue : SaturatingAdd(exactPart, upper),
            confidence);
    }

    // Totals at the edge of long are clamped: a bound that wraps would be a lie.
    internal static long SaturatingAdd(long a, long b)
    {
        long sum = unchecked(a + b);
        return ((a ^ sum) & (b ^ sum)) >= 0 ? sum : a < 0 ? long.MinValue : long.MaxValue;
    }
}
