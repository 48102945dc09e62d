using System.Runtime.Serialization;
using System.Text.Json.Serialization;
using Sketch.Engine.Reads;

namespace Sketch.Realtime;

/// <summary>The value object, as every door of the product shows it.</summary>
[DataContract]
public sealed class LiveValue
{
    /// <summary>The counter's namespace.</summary>
    [DataMember(Name = "namespace")]
    public required string Namespace { get; init; }

    /// <summary>The counter's name.</summary>
    [DataMember(Name = "name")]
    public required string Name { get; init; }

    /// <summary>What it counts: sum, distinct or top.</summary>
    [DataMember(Name = "kind")]
    public required string Kind { get; init; }

    /// <summary>strong, eventual or approximate.</summary>
    [DataMember(Name = "tier")]
    public required string Tier { get; init; }

    /// <summary>The best single answer. A JSON number: readers whose numbers are doubles lose digits beyond 2^53.</summary>
    [DataMember(Name = "value")]
    public required long Value { get; init; }

    /// <summary>The truth is not below this, at <see cref="Confidence"/>.</summary>
    [DataMember(Name = "lower")]
    public required long Lower { get; init; }

    /// <summary>The truth is not above this, at <see cref="Confidence"/>.</summary>
    [DataMember(Name = "upper")]
    public required long Upper { get; init; }

    /// <summary>The probability that both bounds hold; 1 when exact.</summary>
    [DataMember(Name = "confidence")]
    public required double Confidence { get; init; }

    /// <summary>True only when lower, value and upper are the same.</summary>
    [DataMember(Name = "exact")]
    public required bool Exact { get; init; }

    /// <summary>Up to this moment every increment is counted exactly, UTC.</summary>
    [DataMember(Name = "exactAsOf")]
    public required DateTime ExactAsOf { get; init; }

    /// <summary>The change a second over the last five seconds in which the counter was watched.</summary>
    [DataMember(Name = "ratePerSecond")]
    public required double RatePerSecond { get; init; }

    /// <summary>The change a second over the last five minutes, or as long as the counter was watched.</summary>
    [DataMember(Name = "ratePerSecond5m")]
    public double RatePerSecond5m { get; init; }

    /// <summary>Labels, by name.</summary>
    [DataMember(Name = "labels")]
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Of a counter of the kind top, its largest items, largest first; absent otherwise, and until they were read.</summary>
    [DataMember(Name = "items")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<LiveItem>? Items { get; init; }

    /// <summary>When the items were read, UTC: a cut of its own, before the frame's. They are read again after a second and are in a frame when one changed.</summary>
    [DataMember(Name = "itemsAsOf")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTime? ItemsAsOf { get; init; }

    // What every frame repeats, in the form in which it is sent: serialized once a protocol, however many watch. A race makes the same bytes twice.
    private byte[]? _json;
    private byte[]? _messagePack;

    internal byte[] Json => _json ??= LiveFormats.ToJson(this);

    internal byte[] MessagePack => _messagePack ??= LivePack.ToBytes(this);

    internal static LiveValue From(CounterValue value, long shown, Broadcast.LiveItems? items) => new()
    {
        Namespace = value.Namespace,
        Name = value.Name,
        Kind = value.Kind,
        Tier = value.Tier,
        Value = shown,
        Lower = value.Lower,
        Upper = value.Upper,
        Confidence = value.Confidence,
        Exact = value.Exact,
        ExactAsOf = value.ExactAsOf.UtcDateTime,
        RatePerSecond = value.RatePerSecond,
        RatePerSecond5m = value.RatePerSecond5m,
        Labels = value.Labels,
        Items = items?.Items,
        ItemsAsOf = items?.AsOf,
    };
}
