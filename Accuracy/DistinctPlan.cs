using System.Globalization;

namespace Sketch.Accuracy;

/// <summary>A HyperLogLog precision for a wish.</summary>
/// <param name="Precision">2^precision registers.</param>
/// <param name="StandardError">Relative, of an estimate without a checkpoint.</param>
/// <param name="ErrorAtMost">Relative, at the confidence.</param>
/// <param name="Confidence">How often the error stays within.</param>
/// <param name="Fulfilled">False when even the finest precision does not keep the wish.</param>
public sealed record DistinctPlan(int Precision, double StandardError, double ErrorAtMost, double Confidence, bool Fulfilled)
{
    /// <summary>Memory of a dense state's registers, in bytes; small counters stay sparse and take 4 bytes an element.</summary>
    public int DenseBytes => 1 << Precision;

    /// <summary>The plan in words.</summary>
    public string Explain()
    {
        string P(double share) => (share * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";
        string text =
            $"Precision {Precision}: {DenseBytes.ToString("N0", CultureInfo.InvariantCulture)} bytes for a counter of many elements, 4 bytes an element below " +
            $"{(DenseBytes * 3 / 16).ToString("N0", CultureInfo.InvariantCulture)} elements, which are counted exactly. An estimate alone is within {P(ErrorAtMost)} in " +
            $"{P(Confidence)} of cases (standard error {P(StandardError)}); from an exact checkpoint on, only the elements that came after it err.";
        return Fulfilled ? text : text + " This does not keep the wish: take the tier eventual, which keeps the elements themselves.";
    }
}
