namespace Sketch.Realtime.Broadcast;

/// <summary>What a subscription asks for, checked.</summary>
/// <param name="Namespace">An existing namespace.</param>
/// <param name="Names">Distinct names, or null.</param>
/// <param name="Query">A prefix or labels, or null.</param>
/// <param name="Top">How many of the heaviest, or 0.</param>
/// <param name="IntervalMs">A multiple of the tick.</param>
/// <param name="Confidence">In (0.5, 1).</param>
/// <param name="Resume">The last frame that the subscriber has, or null.</param>
internal sealed record Selection(
    string Namespace, IReadOnlyList<string>? Names, NameQuery? Query, int Top, int IntervalMs, double Confidence, ResumePoint? Resume)
{
    /// <summary>How many counters it may hold at most.</summary>
    public int Capacity => Names?.Count ?? (Query is not null ? RealtimeLimits.MaxNames : Top);
}
