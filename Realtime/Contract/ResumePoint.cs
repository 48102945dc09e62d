using System.Runtime.Serialization;

namespace Sketch.Realtime;

/// <summary>The last frame that a subscriber has of a selection: the next one is numbered after it, and says how many it missed.</summary>
[DataContract]
public sealed class ResumePoint
{
    /// <summary>Its number.</summary>
    [DataMember(Name = "number")]
    public long Number { get; init; }

    /// <summary>Its time, UTC.</summary>
    [DataMember(Name = "asOf")]
    public DateTime AsOf { get; init; }
}
