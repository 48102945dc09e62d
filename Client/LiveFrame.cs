using System.Runtime.Serialization;

namespace Sketch.Client;

/// <summary>What changed since the frame before it, all as of one moment.</summary>
[DataContract]
public sealed class LiveFrame
{
    /// <summary>From 1, without a gap, also over breaks of the connection.</summary>
    [DataMember(Name = "number")]
    public long Number { get; init; }

    /// <summary>When the values were read, UTC.</summary>
    [DataMember(Name = "asOf")]
    public DateTime AsOf { get; init; }

    /// <summary>Frames left out just before this one: the connection was broken, or the loop was busy.</summary>
    [DataMember(Name = "skipped")]
    public long Skipped { get; init; }

    /// <summary>True when it holds all values: what is not in it is gone.</summary>
    [DataMember(Name = "snapshot")]
    public bool Snapshot { get; init; }

    /// <summary>The counters that changed; heaviest first in a top list.</summary>
    [DataMember(Name = "values")]
    public IReadOnlyList<LiveCounter> Values { get; init; } = [];

    /// <summary>Counters that left the selection; null when none did.</summary>
    [DataMember(Name = "removed")]
    public IReadOnlyList<string>? Removed { get; init; }

    /// <summary>True when more counters match than a selection may hold.</summary>
    [DataMember(Name = "truncated")]
    public bool Truncated { get; init; }
}

/// <summary>A counter's value, and how sure it is.</summary>
[DataContract]
public sealed class LiveCounter
{
    /// <summary>Its namespace.</summary>
    [DataMember(Name = "namespace")]
    public string Namespace { get; init; } = "";

    /// <summary>Its name.</summary>
    [DataMember(Name = "name")]
    public string Name { get; init; } = "";

    /// <summary>sum, distinct or top.</summary>
    [DataMember(Name = "kind")]
    public string Kind { get; init; } = "";

    /// <summary>strong, eventual or approximate.</summary>
    [DataMember(Name = "tier")]
    public string Tier { get; init; } = "";

    /// <summary>The best single answer.</summary>
    [DataMember(Name = "value")]
    public long Value { get; init; }

    /// <summary>The truth is not below this, at <see cref="Confidence"/>.</summary>
    [DataMember(Name = "lower")]
    public long Lower { get; init; }

    /// <summary>The truth is not above this, at <see cref="Confidence"/>.</summary>
    [DataMember(Name = "upper")]
    public long Upper { get; init; }

    /// <summary>The probability that both bounds hold; 1 when exact.</summary>
    [DataMember(Name = "confidence")]
    public double Confidence { get; init; }

    /// <summary>True when lower, value and upper are the same.</summary>
    [DataMember(Name = "exact")]
    public bool Exact { get; init; }

    /// <summary>Up to this moment every increment is counted exactly, UTC.</summary>
    [DataMember(Name = "exactAsOf")]
    public DateTime ExactAsOf { get; init; }

    /// <summary>The change a second over the last five seconds.</summary>
    [DataMember(Name = "ratePerSecond")]
    public double RatePerSecond { get; init; }

    /// <summary>The change a second over the last five minutes.</summary>
    [DataMember(Name = "ratePerSecond5m")]
    public double RatePerSecond5m { get; init; }

    /// <summary>Labels, by name.</summary>
    [DataMember(Name = "labels")]
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Of a counter of the kind top, its largest items, largest first; null otherwise, and until they were read.</summary>
    [DataMember(Name = "items")]
    public IReadOnlyList<LiveCounterItem>? Items { get; init; }

    /// <summary>When the items were read, UTC.</summary>
    [DataMember(Name = "itemsAsOf")]
    public DateTime? ItemsAsOf { get; init; }
}

/// <summary>One of the largest items of a counter of the kind top. Its bounds are certain.</summary>
[DataContract]
public sealed class LiveCounterItem
{
    /// <summary>The item.</summary>
    [DataMember(Name = "item")]
    public string Item { get; init; } = "";

    /// <summary>The best single answer.</summary>
    [DataMember(Name = "value")]
    public long Value { get; init; }

    /// <summary>The truth is not below this.</summary>
    [DataMember(Name = "lower")]
    public long Lower { get; init; }

    /// <summary>The truth is not above this.</summary>
    [DataMember(Name = "upper")]
    public long Upper { get; init; }

    /// <summary>True when no item that is left out can be larger.</summary>
    [DataMember(Name = "certain")]
    public bool Certain { get; init; }

    /// <summary>True only when lower, value and upper are the same.</summary>
    [DataMember(Name = "exact")]
    public bool Exact { get; init; }
}
