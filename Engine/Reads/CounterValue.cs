namespace Sketch.Engine.Reads;

/// <summary>What a reader sees of a counter, on every path: REST, hub, command line.</summary>
/// <param name="Namespace">The counter's namespace.</param>
/// <param name="Name">The counter's name.</param>
/// <param name="Kind">What it counts: sum, distinct or top.</param>
/// <param name="Tier">strong, eventual or approximate.</param>
/// <param name="Value">The best single answer.</param>
/// <param name="Lower">The truth is not below this, at <paramref name="Confidence"/>.</param>
/// <param name="Upper">The truth is not above this, at <paramref name="Confidence"/>.</param>
/// <param name="Confidence">The probability that both bounds hold; 1 when exact.</param>
/// <param name="Exact">True only when lower, value and upper are the same.</param>
/// <param name="ExactAsOf">Up to this moment every increment is counted exactly; the bounds cover only what came later.</param>
/// <param name="RatePerSecond">The change a second over the last five seconds in which it was watched; at the first read over the live part.</param>
/// <param name="Labels">Labels, by name.</param>
public sealed record CounterValue(
    string Namespace,
    string Name,
    string Kind,
    string Tier,
    long Value,
    long Lower,
    long Upper,
    double Confidence,
    bool Exact,
    DateTimeOffset ExactAsOf,
    double RatePerSecond,
    IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>The change a second over the last five minutes, or as long as it was watched.</summary>
    public double RatePerSecond5m { get; init; }
}
