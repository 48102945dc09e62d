namespace Sketch.Engine.Reads;

/// <summary>Values of many counters as one cut: exact totals at a position, and the live windows after it.</summary>
/// <param name="ExactPosition">The last position that the exact totals cover.</param>
/// <param name="ExactAsOf">Up to this moment every increment is counted exactly.</param>
/// <param name="Rows">The counters that exist, those that only live windows know among them.</param>
public sealed record LiveCut(long ExactPosition, DateTimeOffset ExactAsOf, IReadOnlyList<LiveRow> Rows);

/// <summary>One counter of a cut.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its id.</param>
/// <param name="Kind">sum, distinct or top.</param>
/// <param name="Tier">strong, eventual or approximate.</param>
/// <param name="Value">The best single answer.</param>
/// <param name="Lower">The truth is not below this, at <paramref name="Confidence"/>.</param>
/// <param name="Upper">The truth is not above this, at <paramref name="Confidence"/>.</param>
/// <param name="Confidence">The probability that both bounds hold; 1 when exact.</param>
public readonly record struct LiveRow(
    string Namespace, string Name, ulong Id, string Kind, string Tier, long Value, long Lower, long Upper, double Confidence);
