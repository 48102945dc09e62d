namespace Sketch.Accuracy;

/// <summary>
/// How often bounds of one confidence really held, over several windows, and whether that is too seldom to be chance.
/// <para>
/// The standard error of the share: a window's n counters and its G ghosts are samples from the same cells, the counters showing how
/// often the bound holds, the ghosts where it was put. Both scatter, so a window contributes a variance of c (1 - c) (n + n^2 / G) to
/// the number of counters that are covered at confidence c; windows have keys of their own and are independent.
/// </para>
/// </summary>
public sealed class CoverageTally
{
    // A binomial count is near enough to a normal one when about so many misses are expected.
    private const double FewestMisses = 10;

    private double _variance;

    /// <summary>Begins with nothing.</summary>
    /// <param name="confidence">What was promised, in (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="confidence"/> is out of range.</exception>
    public CoverageTally(double confidence)
    {
        GhostBound.ThrowIfNoConfidence(confidence);
        Confidence = confidence;
    }

    /// <summary>What was promised.</summary>
    public double Confidence { get; }

    /// <summary>Counters compared, once for each window they were in.</summary>
    public long Counters { get; private set; }

    /// <summary>Those whose truth was within the bounds.</summary>
    public long Covered { get; private set; }

    /// <summary>The share covered; 1 when nothing was compared.</summary>
    public double Coverage => Counters == 0 ? 1 : (double)Covered / Counters;

    /// <summary>The standard error of <see cref="Coverage"/> if the promise were kept exactly; 0 when nothing was compared.</summary>
    public double StandardError => Counters == 0 ? 0 : Math.Sqrt(_variance) / Counters;

    /// <summary>The least coverage that chance explains: three standard errors below what was promised.</summary>
    public double LeastCoverage => Math.Max(0, Confidence - 3 * StandardError);

    /// <summary>True when enough was compared to say more than "perhaps": ten misses are expected.</summary>
    public bool IsTelling => Counters * (1 - Confidence) >= FewestMisses;

    /// <summary>True when coverage is below the promise by more than three standard errors.</summary>
    public bool FallsShort => IsTelling && Coverage < LeastCoverage;

    /// <summary>Adds a window.</summary>
    /// <param name="counters">Counters compared, 0 or more.</param>
    /// <param name="covered">Those within their bounds.</param>
    /// <param name="ghosts">How many ghosts the bounds were read from.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public void Add(int counters, int covered, int ghosts) => Change(counters, covered, ghosts, 1);

    /// <summary>Takes a window out again that was added before, so that a tally can follow the last so many windows.</summary>
    /// <param name="counters">As it was added.</param>
    /// <param name="covered">As it was added.</param>
    /// <param name="ghosts">As it was added.</param>
    public void Remove(int counters, int covered, int ghosts) => Change(counters, covered, ghosts, -1);

    private void Change(int counters, int covered, int ghosts, int sign)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(counters);
        ArgumentOutOfRangeException.ThrowIfNegative(covered);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(covered, counters);
        ArgumentOutOfRangeException.ThrowIfLessThan(ghosts, 1);
        Counters += sign * counters;
        Covered += sign * covered;
        double variance = Confidence * (1 - Confidence) * (counters + (double)counters * counters / ghosts);
        _variance = Counters == 0 ? 0 : Math.Max(0, _variance + sign * variance);
    }
}
