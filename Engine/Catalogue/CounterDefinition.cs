namespace Sketch.Engine.Catalogue;

/// <summary>A counter as its owner defines it. Counters that are only incremented take all of this from their namespace.</summary>
/// <param name="Name">1 to 256 bytes of UTF-8 without control characters.</param>
/// <param name="Kind">What it counts.</param>
/// <param name="Tier">Its own tier; null takes the namespace's.</param>
/// <param name="Labels">At most 16 labels, each name and value 1 to 64 bytes.</param>
public sealed record CounterDefinition(
    string Name,
    CounterKind Kind = CounterKind.Sum,
    Tier? Tier = null,
    IReadOnlyDictionary<string, string>? Labels = null);
