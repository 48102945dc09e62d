using System.Runtime.Serialization;
using System.Text.Json.Serialization;

namespace Sketch.Realtime;

/// <summary>
/// What changed since the frame before it. All values of a frame are as of one position of the log: a batch is in all of them or in none. A frame without values says that
/// nothing changed up to <see cref="AsOf"/>; one arrives at least every two seconds (or every interval, when that is longer).
/// </summary>
[DataContract]
public sealed class CounterFrame
{
    /// <summary>The subscription's id on this connection.</summary>
    [DataMember(Name = "subscription")]
    public required int Subscription { get; init; }

    /// <summary>1 for the first frame, or one more than the frame that the subscriber resumed from; then one more for every frame sent.</summary>
    [DataMember(Name = "number")]
    public required long Number { get; init; }

    /// <summary>When the values were read, UTC; never before the frame before it.</summary>
    [DataMember(Name = "asOf")]
    public required DateTime AsOf { get; init; }

    /// <summary>Frames left out just before this one, because the receiver was not ready for them.</summary>
    [DataMember(Name = "skipped")]
    public required long Skipped { get; init; }

    /// <summary>True when the frame holds all values: what is not in it is gone. Always so for the first frame; absent otherwise.</summary>
    [DataMember(Name = "snapshot")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Snapshot { get; init; }

    /// <summary>The counters that changed; heaviest first when the subscription is a top list.</summary>
    [DataMember(Name = "values")]
    public required IReadOnlyList<LiveValue> Values { get; init; }

    /// <summary>Names that left the subscription: no longer among the heaviest, or gone. Absent when there are none.</summary>
    [DataMember(Name = "removed")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Removed { get; init; }

    /// <summary>True when a prefix or labels match more names than a subscription may hold. Absent otherwise.</summary>
    [DataMember(Name = "truncated")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Truncated { get; init; }
}
