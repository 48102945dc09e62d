namespace Sketch.Accuracy;

/// <summary>
/// How much a count-min estimate may exceed the truth, read from the sketch itself: ask it for ids that were never added
/// (ghosts). Whatever it answers for them is pure error, and no id's error is larger in distribution.
/// <para>
/// Why that also holds under conservative update: run the stream twice, with the id x (state A) and without it (state B). By
/// induction over the increments every cell of A is at most that cell of B plus x's weight, so the error of x in A is at most
/// the estimate of x in B, where x is a ghost; and adding x to the stream can only raise what other ghosts read. So with q the
/// (1 - a) quantile of ghosts, truth >= estimate - q with probability of at least 1 - a over the hash's key, for every id, any
/// distribution of weights, and any sum of sketches when the ghosts are asked the same sum.
/// </para>
/// </summary>
public static class GhostBound
{
    /// <summary>
    /// Which of the sorted ghosts (counted from 1) to take for a confidence: two standard errors above the plain quantile, so that
    /// the finite sample errs on the wide side.
    /// </summary>
    /// <param name="ghosts">How many ghosts there are, 1 or more.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <returns>1 to <paramref name="ghosts"/>; <paramref name="ghosts"/> + 1 when so few cannot vouch for this confidence.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static int OrderStatistic(int ghosts, double confidence)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ghosts, 1);
        ThrowIfNoConfidence(confidence);
        double rank = Math.Ceiling(ghosts * confidence + 2 * Math.Sqrt(ghosts * confidence * (1 - confidence)));
        return (int)Math.Clamp(rank, 1, ghosts + 1d);
    }

    /// <summary>
    /// The confidence to ask of each of several bounds so that all of them hold together with the given one (Bonferroni): for a
    /// list of k values, or for the two sides of a signed one. Large lists need more ghosts: see <see cref="FewestGhosts"/>.
    /// </summary>
    /// <param name="confidence">In (0, 1), that all hold.</param>
    /// <param name="bounds">How many there are, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static double Shared(double confidence, int bounds)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bounds, 1);
        ThrowIfNoConfidence(confidence);
        return 1 - (1 - confidence) / bounds;
    }

    /// <summary>The fewest ghosts that can vouch for a confidence: with fewer, lower bounds fall back to the exact part.</summary>
    /// <param name="confidence">In (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="confidence"/> is out of range.</exception>
    public static int FewestGhosts(double confidence)
    {
        int ghosts = 1;
        while (OrderStatistic(ghosts, confidence) > ghosts)
            ghosts = checked(ghosts + 1 + ghosts / 64);
        return ghosts;
    }

    internal static void ThrowIfNoConfidence(double confidence)
    {
        if (!(confidence is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(confidence), confidence, $"confidence is {confidence}; allowed between 0 and 1, both excluded");
        }
    }
}
