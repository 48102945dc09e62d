using System.Runtime.Serialization;

namespace Sketch.Realtime;

/// <summary>What a subscriber asks for: one namespace, and exactly one of names, prefix, labels and top.</summary>
[DataContract]
public sealed class SubscriptionRequest
{
    /// <summary>An existing namespace.</summary>
    [DataMember(Name = "namespace")]
    public string? Namespace { get; init; }

    /// <summary>1 to 1,000 counter names. Those that do not exist yet arrive when they do.</summary>
    [DataMember(Name = "names")]
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>Every counter whose name starts so, the first 1,000 by name; empty for all.</summary>
    [DataMember(Name = "prefix")]
    public string? Prefix { get; init; }

    /// <summary>Every counter that has all of these labels, the first 1,000 by name; an empty value stands for any. 1 to 16 labels.</summary>
    [DataMember(Name = "labels")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>The k heaviest counters, 1 to 1,000.</summary>
    [DataMember(Name = "top")]
    public int? Top { get; init; }

    /// <summary>At most one frame in this time, 50 to 60,000 ms, rounded up to the next 50; 1,000 when absent.</summary>
    [DataMember(Name = "intervalMs")]
    public int? IntervalMs { get; init; }

    /// <summary>The probability that the bounds hold, above 0.5 and below 1; 0.99 when absent.</summary>
    [DataMember(Name = "confidence")]
    public double? Confidence { get; init; }

    /// <summary>After a reconnect: the last frame received of the same selection.</summary>
    [DataMember(Name = "resume")]
    public ResumePoint? Resume { get; init; }
}
