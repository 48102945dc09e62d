namespace Sketch.Engine.Catalogue;

/// <summary>A counter as its owner defines it. Counters that are only incremented take all of this from their namespace.</summary>
/// <param name="Name">1 to 256 bytes of UTF-8 without control characters.</param>
/// <param name="Kind">What it counts.</param>
/// <param name="Tier">Its own tier; null takes the namespace's.</param>
/// <param name="Labels">At most 16 labels, each name and value 1 to 64 bytes.</param>
/// <param name="K">For the kind top: how many of the largest items it is asked for, 1 to 1,000; null is <see cref="DefaultK"/>.</param>
public sealed record CounterDefinition(
    string Name,
    CounterKind Kind = CounterKind.Sum,
    Tier? Tier = null,
    IReadOnlyDictionary<string, string>? Labels = null,
    int? K = null)
{
    /// <summary>How many items a counter of the kind top is asked for unless it says so.</summary>
    public const int DefaultK = 10;

    /// <summary>The most that it may be asked for.</summary>
    public const int MaxK = 1_000;
}
