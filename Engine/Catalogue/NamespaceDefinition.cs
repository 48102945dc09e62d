namespace Sketch.Engine.Catalogue;

/// <summary>A namespace as its owner defines it.</summary>
/// <param name="Name">1 to 64 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit.</param>
/// <param name="Tier">The tier of its counters, unless a counter names its own.</param>
/// <param name="Durable">Every acknowledgement waits for the fsync, whatever the tier.</param>
/// <param name="RetentionDays">How long history is kept, 1 to 365.</param>
/// <param name="MaxCounters">The most counters it may hold, 1 to 100,000,000.</param>
/// <param name="LifetimeDays">For how long a counter stays that nobody increments or defines, 1 to 365 days of log time.</param>
public sealed record NamespaceDefinition(
    string Name,
    Tier Tier = Tier.Approximate,
    bool Durable = false,
    int RetentionDays = 30,
    int MaxCounters = NamespaceDefinition.DefaultMaxCounters,
    int LifetimeDays = 30)
{
    /// <summary>The most counters in a namespace that says nothing of it.</summary>
    public const int DefaultMaxCounters = 10_000_000;
}
