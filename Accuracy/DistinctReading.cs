using Sketch.Sketches;

namespace Sketch.Accuracy;

/// <summary>What an estimate needs to know of a <see cref="DistinctMartingale"/>, copied out of it at one moment.</summary>
/// <param name="ExactCount">Distinct elements at the checkpoint.</param>
/// <param name="Added">Elements added since, repeats included.</param>
/// <param name="Changes">Changes of the state since.</param>
/// <param name="NewElements">The expected number of new elements since.</param>
/// <param name="Variance">Its variance.</param>
/// <param name="ChangeProbability">The chance that an element not yet counted changes the state.</param>
public readonly record struct DistinctReading(
    long ExactCount, long Added, long Changes, double NewElements, double Variance, double ChangeProbability)
{
    /// <summary>The figures of now; for the thread that writes the martingale.</summary>
    public static DistinctReading Of(DistinctMartingale martingale)
    {
        ArgumentNullException.ThrowIfNull(martingale);
        return new DistinctReading(
            martingale.ExactCount, martingale.Added, martingale.Changes, martingale.NewElements, martingale.Variance,
            martingale.State.ChangeProbability);
    }
}
