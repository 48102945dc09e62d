using System.Runtime.Serialization;

namespace Sketch.Realtime;

/// <summary>The answer to a subscription: its id on this connection and the values of now.</summary>
[DataContract]
public sealed class SubscriptionReply
{
    /// <summary>The id that later frames carry and that ends the subscription.</summary>
    [DataMember(Name = "subscription")]
    public required int Subscription { get; init; }

    /// <summary>The interval in use: the one asked for, rounded up to the next 50 ms.</summary>
    [DataMember(Name = "intervalMs")]
    public required int IntervalMs { get; init; }

    /// <summary>Frame number 1: every value.</summary>
    [DataMember(Name = "snapshot")]
    public required CounterFrame Snapshot { get; init; }
}
