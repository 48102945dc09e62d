using Microsoft.AspNetCore.SignalR;

namespace Sketch.Realtime;

/// <summary>A subscription that is not possible: its message reaches the subscriber, its parts an HTTP answer.</summary>
public sealed class SubscriptionRefusedException : HubException
{
    internal SubscriptionRefusedException(string field, string value, string allowed, int status, string message)
        : base(message) => (Field, Value, Allowed, Status) = (field, value, allowed, status);

    /// <summary>What was wrong.</summary>
    public string Field { get; }

    /// <summary>What was asked for.</summary>
    public string Value { get; }

    /// <summary>What would have been accepted.</summary>
    public string Allowed { get; }

    /// <summary>The HTTP status that says the same: 400, 404, 429 or 503.</summary>
    public int Status { get; }

    internal static SubscriptionRefusedException Invalid(string field, string value, string allowed) =>
        new(field, value, allowed, 400, $"{field} is {value}; allowed: {allowed}.");

    internal static SubscriptionRefusedException Full(string sentence, string option) => new(
        "subscription", "one too many", $"what the node has room for ({option})", 429, $"{sentence}, the most that it allows ({option}).");

    /// <summary>The node opens, or cannot read.</summary>
    internal static SubscriptionRefusedException NotNow() => new(
        "values", "not readable at this moment", "a retry in a second", 503, "The values cannot be read at this moment; subscribe again in a second.");
}
