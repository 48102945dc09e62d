namespace Sketch.Engine.Audit;

/// <summary>
/// How often the bounds of a namespace's approximate counters really held. At a checkpoint the truth of a window becomes known, and with it whether
/// the bounds that its sketch stood for were right. Figures begin with the process.
/// </summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Windows">Windows in which approximate counters were compared with the truth.</param>
/// <param name="Counters">Counters compared, once for each of these windows.</param>
/// <param name="AboveUpper">Counters whose truth was above their upper bound, which is never allowed.</param>
/// <param name="Bias">The mean of value minus truth.</param>
/// <param name="LargestError">The largest distance of a value from its truth.</param>
/// <param name="Bounds">By confidence, the last windows.</param>
/// <param name="Last">The last such window; null before the first.</param>
/// <param name="Warning">What is wrong, in words; null while the bounds hold.</param>
public sealed record NamespaceAccuracy(
    string Namespace,
    long Windows,
    long Counters,
    long AboveUpper,
    double Bias,
    long LargestError,
    IReadOnlyList<BoundCoverage> Bounds,
    AuditedWindow? Last,
    string? Warning);

/// <summary>How often bounds of one confidence held over the last windows.</summary>
/// <param name="Confidence">What was promised.</param>
/// <param name="Windows">How many of the last windows this is about.</param>
/// <param name="Counters">Counters compared in them.</param>
/// <param name="Covered">Those whose truth was within the bounds.</param>
/// <param name="Coverage">Covered / Counters; 1 when there were none.</param>
/// <param name="StandardError">Of the coverage, if the promise were kept exactly.</param>
/// <param name="LeastCoverage">Three standard errors below the promise: less is a fault, not chance.</param>
/// <param name="FallsShort">True when the coverage is below that, and enough was compared to say so.</param>
public sealed record BoundCoverage(
    double Confidence, int Windows, long Counters, long Covered, double Coverage, double StandardError, double LeastCoverage, bool FallsShort);

/// <summary>One window after the comparison.</summary>
/// <param name="From">Its first position in the log.</param>
/// <param name="To">Its last position.</param>
/// <param name="Sketched">Counters of the namespace that the window's sketch held.</param>
/// <param name="Compared">How many of them were compared: all, or an even sample.</param>
/// <param name="AboveUpper">Those whose truth was above their upper bound.</param>
/// <param name="Bias">The mean of value minus truth.</param>
/// <param name="LargestError">The largest distance of a value from its truth.</param>
/// <param name="Coverage">The share within the bounds, by confidence in the order of <see cref="NamespaceAccuracy.Bounds"/>.</param>
public sealed record AuditedWindow(
    long From, long To, int Sketched, int Compared, int AboveUpper, double Bias, long LargestError, IReadOnlyList<double> Coverage);
