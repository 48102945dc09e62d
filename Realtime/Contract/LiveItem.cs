using System.Runtime.Serialization;
using Sketch.Engine.Reads;

namespace Sketch.Realtime;

/// <summary>One of the largest items of a counter of the kind top. Its bounds are certain.</summary>
[DataContract]
public sealed record LiveItem
{
    /// <summary>The item.</summary>
    [DataMember(Name = "item")]
    public required string Item { get; init; }

    /// <summary>The best single answer.</summary>
    [DataMember(Name = "value")]
    public required long Value { get; init; }

    /// <summary>The truth is not below this.</summary>
    [DataMember(Name = "lower")]
    public required long Lower { get; init; }

    /// <summary>The truth is not above this.</summary>
    [DataMember(Name = "upper")]
    public required long Upper { get; init; }

    /// <summary>True when no item that is left out can be larger.</summary>
    [DataMember(Name = "certain")]
    public required bool Certain { get; init; }

    /// <summary>True only when lower, value and upper are the same.</summary>
    [DataMember(Name = "exact")]
    public required bool Exact { get; init; }

    internal static LiveItem From(TopItemValue item) => new()
    {
        Item = item.Item,
        Value = item.Value,
        Lower = item.Lower,
        Upper = item.Upper,
        Certain = item.Certain,
        Exact = item.Exact,
    };
}
