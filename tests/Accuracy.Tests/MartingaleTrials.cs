using Sketch.Accuracy;
using Sketch.Sketches;

namespace Sketch.Tests.Accuracy;

/// <summary>Gathers what many trials of the martingale estimator show at one moment after their checkpoint.</summary>
public sealed class MartingaleTrials(int start, int added)
{
    private int _trials, _covered, _cut;
    private double _squares;

    public int Added => added;

    public double Rmse => Math.Sqrt(_squares / _trials);

    public double Coverage => (double)_covered / _trials;

    /// <summary>Coverage of bounds a third as wide, which must be too low.</summary>
    public double Cut => (double)_cut / _trials;

    public void Take(DistinctMartingale martingale)
    {
        int truth = start + added;
        _trials++;
        double error = (martingale.NewElements - added) / truth;
        _squares += error * error;
        Estimate estimate = DistinctEstimate.From(martingale, 0.95);
        _covered += estimate.Lower <= truth && truth <= estimate.Upper ? 1 : 0;
        _cut += Math.Abs(truth - estimate.Value) <= (estimate.Upper - estimate.Value) / 3 ? 1 : 0;
    }
}
