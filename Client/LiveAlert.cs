using System.Runtime.Serialization;

namespace Sketch.Client;

/// <summary>How an alert stands.</summary>
[DataContract]
public sealed class LiveAlert
{
    /// <summary>The namespace.</summary>
    [DataMember(Name = "namespace")]
    public string Namespace { get; init; } = "";

    /// <summary>The rule's name in its namespace.</summary>
    [DataMember(Name = "id")]
    public string Id { get; init; } = "";

    /// <summary>The counter.</summary>
    [DataMember(Name = "counter")]
    public string Counter { get; init; } = "";

    /// <summary>What is judged: value or rate.</summary>
    [DataMember(Name = "of")]
    public string Of { get; init; } = "";

    /// <summary>It fires at this or more, when it is there.</summary>
    [DataMember(Name = "above")]
    public double? Above { get; init; }

    /// <summary>It fires at this or less, when it is there.</summary>
    [DataMember(Name = "below")]
    public double? Below { get; init; }

    /// <summary>surely or maybe.</summary>
    [DataMember(Name = "when")]
    public string When { get; init; } = "";

    /// <summary>unknown, ok, firing, or deleted.</summary>
    [DataMember(Name = "state")]
    public string State { get; init; } = "";

    /// <summary>Since when, UTC.</summary>
    [DataMember(Name = "since")]
    public DateTime Since { get; init; }

    /// <summary>When the figures were read, UTC.</summary>
    [DataMember(Name = "asOf")]
    public DateTime? AsOf { get; init; }

    /// <summary>The value, or the change a second.</summary>
    [DataMember(Name = "value")]
    public double? Value { get; init; }

    /// <summary>The truth is not below this.</summary>
    [DataMember(Name = "lower")]
    public double? Lower { get; init; }

    /// <summary>The truth is not above this.</summary>
    [DataMember(Name = "upper")]
    public double? Upper { get; init; }
}

/// <summary>As it goes over the wire. Public for the serializers alone.</summary>
/// <param name="Namespace">The namespace.</param>
[DataContract]
public sealed record AlertsMessage([property: DataMember(Name = "namespace")] string Namespace);

/// <summary>As it goes over the wire. Public for the serializers alone.</summary>
[DataContract]
public sealed class AlertsReply
{
    /// <summary>Ends the subscription.</summary>
    [DataMember(Name = "subscription")]
    public int Subscription { get; init; }

    /// <summary>By id.</summary>
    [DataMember(Name = "alerts")]
    public IReadOnlyList<LiveAlert> Alerts { get; init; } = [];
}
