using Sketch.Sketches;

namespace Sketch.Accuracy;

/// <summary>
/// Compares what a closed window's sketch said with what is now known exactly: at a checkpoint every bound that was given can be
/// checked. One object for the counters of one window that are looked at together; feed it each counter once.
/// </summary>
public sealed class WindowAudit
{
    private readonly double[] _confidences;
    private readonly long[] _quantiles;
    private readonly int[] _covered;
    private readonly long _median;
    private double _errors;

    /// <summary>Begins.</summary>
    /// <param name="ghosts">Evaluated over the window's sketch after its last increment.</param>
    /// <param name="confidences">
    /// The confidences that bounds are checked at, each in (0, 1), at least one; values are those of the last one, since which value is the best
    /// answer depends a little on the bound.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A confidence is out of range.</exception>
    public WindowAudit(GhostSample ghosts, params ReadOnlySpan<double> confidences)
        : this(Quantiles(ghosts, confidences), ghosts.Median, ghosts.Count, confidences)
    {
    }

    /// <summary>Begins with bounds from elsewhere: what a test cuts to see the audit fail.</summary>
    internal WindowAudit(long[] quantiles, long median, int ghosts, ReadOnlySpan<double> confidences)
    {
        ArgumentOutOfRangeException.ThrowIfZero(confidences.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(quantiles.Length, confidences.Length);
        _confidences = confidences.ToArray();
        _quantiles = quantiles;
        _covered = new int[confidences.Length];
        _median = median;
        Ghosts = ghosts;
    }

    /// <summary>The confidences, as given.</summary>
    public ReadOnlySpan<double> Confidences => _confidences;

    /// <summary>How many ghosts the bounds were read from.</summary>
    public int Ghosts { get; }

    /// <summary>Counters compared.</summary>
    public int Counters { get; private set; }

    /// <summary>Counters whose truth was above the upper bound, which is never allowed.</summary>
    public int AboveUpper { get; private set; }

    /// <summary>The largest distance of a value from its truth.</summary>
    public long LargestError { get; private set; }

    /// <summary>The mean of value minus truth; 0 before the first counter.</summary>
    public double Bias => Counters == 0 ? 0 : _errors / Counters;

    /// <summary>Counters whose truth was within the bounds of a confidence.</summary>
    /// <param name="index">Which of <see cref="Confidences"/>.</param>
    public int Covered(int index) => _covered[index];

    /// <summary>Compares one counter.</summary>
    /// <param name="estimate">What the sketch says.</param>
    /// <param name="truth">What was really added to it, 0 or more.</param>
    public void Add(uint estimate, long truth)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(truth);
        Counters++;
        bool isSaturated = estimate == CountMinSketch.SaturatedEstimate;
        for (int i = 0; i < _confidences.Length; i++)
        {
            Estimate said = LiveEstimate.From(0, estimate, 0, _quantiles[i], _median, _confidences[i], isSaturated);
            if (said.Lower <= truth && truth <= said.Upper)
                _covered[i]++;
            if (i == _confidences.Length - 1)
            {
                long error = said.Value - truth;
                _errors += error;
                LargestError = Math.Max(LargestError, Math.Abs(error));
                if (truth > said.Upper)
                    AboveUpper++;
            }
        }
    }

    private static long[] Quantiles(GhostSample ghosts, ReadOnlySpan<double> confidences)
    {
        ArgumentNullException.ThrowIfNull(ghosts);
        long[] quantiles = new long[confidences.Length];
        for (int i = 0; i < quantiles.Length; i++)
            quantiles[i] = ghosts.Quantile(confidences[i]);
        return quantiles;
    }
}
