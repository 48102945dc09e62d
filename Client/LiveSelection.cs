using System.Runtime.Serialization;

namespace Sketch.Client;

/// <summary>What to watch: counters of one namespace.</summary>
public sealed record LiveSelection
{
    private LiveSelection(string @namespace)
    {
        ArgumentNullException.ThrowIfNull(@namespace);
        Namespace = @namespace;
    }

    /// <summary>The namespace.</summary>
    public string Namespace { get; }

    /// <summary>At most one frame in this time, 50 to 60,000 ms; 1,000 when null.</summary>
    public int? IntervalMs { get; init; }

    /// <summary>The probability that the bounds hold, above 0.5 and below 1; 0.99 when null.</summary>
    public double? Confidence { get; init; }

    private string[]? Names { get; init; }

    private string? Prefix { get; init; }

    private Dictionary<string, string>? Labels { get; init; }

    private int? Top { get; init; }

    /// <summary>1 to 1,000 counters by name; those that do not exist yet arrive when they do.</summary>
    public static LiveSelection OfNames(string @namespace, params IEnumerable<string> names) => new(@namespace) { Names = [.. names] };

    /// <summary>Every counter whose name starts so, the first 1,000 by name.</summary>
    public static LiveSelection OfPrefix(string @namespace, string prefix) => new(@namespace) { Prefix = prefix };

    /// <summary>Every counter that has all of these labels, the first 1,000 by name; an empty value stands for any.</summary>
    public static LiveSelection OfLabels(string @namespace, IEnumerable<KeyValuePair<string, string>> labels) => new(@namespace) { Labels = new(labels) };

    /// <summary>The k heaviest counters, 1 to 1,000.</summary>
    public static LiveSelection OfTop(string @namespace, int k) => new(@namespace) { Top = k };

    internal SelectionMessage ToMessage(LiveFrame? last) => new()
    {
        Namespace = Namespace,
        Names = Names,
        Prefix = Prefix,
        Labels = Labels,
        Top = Top,
        IntervalMs = IntervalMs,
        Confidence = Confidence,
        Resume = last is null ? null : new ResumeMessage { Number = last.Number, AsOf = last.AsOf },
    };
}

/// <summary>As it goes over the wire. Public for the serializers alone.</summary>
[DataContract]
public sealed class SelectionMessage
{
    /// <summary>The namespace.</summary>
    [DataMember(Name = "namespace")]
    public string? Namespace { get; init; }

    /// <summary>Names.</summary>
    [DataMember(Name = "names")]
    public string[]? Names { get; init; }

    /// <summary>A prefix.</summary>
    [DataMember(Name = "prefix")]
    public string? Prefix { get; init; }

    /// <summary>Labels.</summary>
    [DataMember(Name = "labels")]
    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>How many of the heaviest.</summary>
    [DataMember(Name = "top")]
    public int? Top { get; init; }

    /// <summary>Milliseconds.</summary>
    [DataMember(Name = "intervalMs")]
    public int? IntervalMs { get; init; }

    /// <summary>A probability.</summary>
    [DataMember(Name = "confidence")]
    public double? Confidence { get; init; }

    /// <summary>The last frame received.</summary>
    [DataMember(Name = "resume")]
    public ResumeMessage? Resume { get; init; }
}

/// <summary>The last frame received. Public for the serializers alone.</summary>
[DataContract]
public sealed class ResumeMessage
{
    /// <summary>Its number.</summary>
    [DataMember(Name = "number")]
    public long Number { get; init; }

    /// <summary>Its time.</summary>
    [DataMember(Name = "asOf")]
    public DateTime AsOf { get; init; }
}
