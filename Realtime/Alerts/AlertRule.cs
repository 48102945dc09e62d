namespace Sketch.Realtime.Alerts;

/// <summary>When an alert fires, checked; see docs/realtime.md.</summary>
/// <param name="Namespace">An existing namespace.</param>
/// <param name="Id">Its name in the namespace.</param>
/// <param name="Counter">The counter.</param>
/// <param name="IsRate">Judges the change a second, else the value.</param>
/// <param name="IsAbove">Fires at the limit or above it, else at it or below.</param>
/// <param name="Limit">The limit.</param>
/// <param name="IsSure">Fires when the truth surely is beyond the limit, else when it may be.</param>
/// <param name="Confidence">In (0.5, 1).</param>
/// <param name="OverSeconds">For rates.</param>
/// <param name="ForSeconds">It must hold so long.</param>
/// <param name="Webhook">Where changes are delivered to, or null.</param>
public sealed record AlertRule(
    string Namespace,
    string Id,
    string Counter,
    bool IsRate,
    bool IsAbove,
    double Limit,
    bool IsSure,
    double Confidence,
    int OverSeconds,
    int ForSeconds,
    AlertTarget? Webhook)
{
    /// <summary>A rate is made of two readings, which share the doubt.</summary>
    internal double ReadConfidence => IsRate ? 1 - ((1 - Confidence) / 2) : Confidence;

    /// <summary>Whether figures with these bounds are beyond the limit.</summary>
    internal bool Holds(double lower, double upper) => IsAbove
        ? (IsSure ? lower : upper) >= Limit
        : (IsSure ? upper : lower) <= Limit;
}

/// <summary>A webhook.</summary>
/// <param name="Url">Where it is sent to.</param>
/// <param name="Secret">What it is signed with.</param>
public sealed record AlertTarget(Uri Url, string Secret);
