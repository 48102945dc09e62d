using MathNet.Numerics.Distributions;
using Sketch.Sketches;

namespace Sketch.Accuracy;

/// <summary>Values and bounds of distinct counts.</summary>
public static class DistinctEstimate
{
    /// <summary>
    /// Of a state alone (a union of partitions, for instance): n / (1 + z s) to n / (1 - z s), with s its standard error and z the
    /// normal quantile. A sparse state errs by a shared token now and then (less than one in 100 at its largest) and is given
    /// one element of slack above.
    /// </summary>
    /// <param name="state">Sparse or dense.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="confidence"/> is out of range.</exception>
    public static Estimate From(HyperLogLog state, double confidence)
    {
        ArgumentNullException.ThrowIfNull(state);
        double z = NormalQuantile(confidence);
        if (state.IsEmpty)
            return Estimate.Exact(0);
        double n = state.Estimate();
        long value = (long)Math.Round(n);
        if (state.IsSparse)
            return new Estimate(value, value, value + 1, confidence);
        double doubt = z * state.StandardError;
        return new Estimate(value, (long)Math.Floor(n / (1 + doubt)), Above(n, doubt), confidence);
    }

    /// <summary>
    /// From an exact checkpoint and what came after it: count +- z sqrt(variance) in Wilson's form, within what is certain (at least as many new
    /// elements as changes of the state, at most as many as were added).
    /// </summary>
    /// <param name="martingale">Followed every element since the checkpoint.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="confidence"/> is out of range.</exception>
    public static Estimate From(DistinctMartingale martingale, double confidence)
    {
        ArgumentNullException.ThrowIfNull(martingale);
        return From(DistinctReading.Of(martingale), confidence);
    }

    /// <summary>The same from a martingale's figures, for readers that may not touch the martingale itself while it is written.</summary>
    /// <param name="reading">Its figures at one moment.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="confidence"/> is out of range.</exception>
    public static Estimate From(in DistinctReading reading, double confidence)
    {
        double z = NormalQuantile(confidence), q = reading.ChangeProbability;
        double fewest = reading.Changes, most = reading.Added, estimate = reading.NewElements;

        // Wilson's interval: a new element adds c = (1 - q) / q to the variance, so the width is that of the bound tested, not of
        // the estimate. Without it, elements that have not shown yet would be excluded.
        double c = (1 - q) / Math.Max(q, double.Epsilon);
        double middle = estimate + z * z * c / 2, reach = z * Math.Sqrt(reading.Variance + z * z * c * c / 4);
        double value = Math.Clamp(estimate, fewest, most);
        double lower = Math.Clamp(Math.Floor(middle - reach), fewest, most);
        double upper = Math.Clamp(Math.Ceiling(middle + reach), fewest, most);
        long start = reading.ExactCount;
        return most == 0
            ? Estimate.Exact(start)
            : new Estimate(start + (long)Math.Round(value), start + (long)lower, start + (long)upper, confidence);
    }

    /// <summary>
    /// The union of several partitions' states when each is known exactly at the checkpoint: the exact count, plus what the union
    /// grew by. Better than the union alone while it grew by less than a few times its standard error.
    /// </summary>
    /// <param name="exactCount">The union's exact count at the checkpoint.</param>
    /// <param name="atCheckpoint">The union of the states at the checkpoint.</param>
    /// <param name="now">The union of the states now, which contains it.</param>
    /// <param name="added">Elements added since, repeats included.</param>
    /// <param name="confidence">In (0, 1).</param>
    public static Estimate FromUnion(long exactCount, HyperLogLog atCheckpoint, HyperLogLog now, long added, double confidence)
    {
        ArgumentNullException.ThrowIfNull(atCheckpoint);
        ArgumentNullException.ThrowIfNull(now);
        double z = NormalQuantile(confidence);
        if (added == 0)
            return Estimate.Exact(exactCount);
        double before = atCheckpoint.Estimate(), grown = Math.Clamp(now.Estimate() - before, 0, added);
        // The variance of growth d from n: s^2 (2 n d + d^2), with a tenth of slack (measured: docs/accuracy.md).
        double reach = 1 + 1.05 * z * now.StandardError * Math.Sqrt(2 * before * (grown + 1) + grown * grown);
        long start = exactCount;
        return new Estimate(
            start + (long)Math.Round(grown),
            start + (long)Math.Floor(Math.Max(0, grown - reach)),
            start + (long)Math.Ceiling(Math.Min(added, grown + reach)),
            confidence);
    }

    internal static double NormalQuantile(double confidence)
    {
        GhostBound.ThrowIfNoConfidence(confidence);
        return Normal.InvCDF(0, 1, (1 + confidence) / 2);
    }

    private static long Above(double n, double doubt) =>
        doubt >= 1 || n / (1 - doubt) >= long.MaxValue ? long.MaxValue : (long)Math.Ceiling(n / (1 - doubt));
}
