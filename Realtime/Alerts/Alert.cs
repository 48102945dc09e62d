using System.Runtime.Serialization;
using System.Text.Json.Serialization;

namespace Sketch.Realtime.Alerts;

/// <summary>An alert as everybody sees it: its rule, and how it stands.</summary>
[DataContract]
public sealed record Alert
{
    /// <summary>The namespace of rule and counter.</summary>
    [DataMember(Name = "namespace")]
    public required string Namespace { get; init; }

    /// <summary>The rule's name in its namespace.</summary>
    [DataMember(Name = "id")]
    public required string Id { get; init; }

    /// <summary>The counter.</summary>
    [DataMember(Name = "counter")]
    public required string Counter { get; init; }

    /// <summary>What is judged: value or rate.</summary>
    [DataMember(Name = "of")]
    public required string Of { get; init; }

    /// <summary>It fires at this or more; absent when <see cref="Below"/> is there.</summary>
    [DataMember(Name = "above")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Above { get; init; }

    /// <summary>It fires at this or less.</summary>
    [DataMember(Name = "below")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Below { get; init; }

    /// <summary>surely: the bound that is farther from the limit is beyond it; maybe: the nearer one is.</summary>
    [DataMember(Name = "when")]
    public required string When { get; init; }

    /// <summary>The probability that the bounds hold.</summary>
    [DataMember(Name = "confidence")]
    public required double Confidence { get; init; }

    /// <summary>For rates: the seconds over which the change is taken.</summary>
    [DataMember(Name = "overSeconds")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? OverSeconds { get; init; }

    /// <summary>It must hold so long before it fires.</summary>
    [DataMember(Name = "forSeconds")]
    public required int ForSeconds { get; init; }

    /// <summary>Where changes are delivered to; absent when nowhere.</summary>
    [DataMember(Name = "webhook")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AlertWebhook? Webhook { get; init; }

    /// <summary>unknown, ok or firing; deleted when the rule is gone.</summary>
    [DataMember(Name = "state")]
    public required string State { get; init; }

    /// <summary>Since when, UTC.</summary>
    [DataMember(Name = "since")]
    public required DateTime Since { get; init; }

    /// <summary>When the figures below were read, UTC; absent while the state is unknown.</summary>
    [DataMember(Name = "asOf")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTime? AsOf { get; init; }

    /// <summary>The value, or the change a second.</summary>
    [DataMember(Name = "value")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Value { get; init; }

    /// <summary>The truth is not below this.</summary>
    [DataMember(Name = "lower")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Lower { get; init; }

    /// <summary>The truth is not above this.</summary>
    [DataMember(Name = "upper")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Upper { get; init; }
}

/// <summary>A webhook, without its secret.</summary>
[DataContract]
public sealed record AlertWebhook
{
    /// <summary>Where it is sent to.</summary>
    [DataMember(Name = "url")]
    public required string Url { get; init; }

    /// <summary>Deliveries answered with success since the node started.</summary>
    [DataMember(Name = "delivered")]
    public long Delivered { get; init; }

    /// <summary>Deliveries given up since the node started.</summary>
    [DataMember(Name = "failed")]
    public long Failed { get; init; }

    /// <summary>Deliveries that wait, or are tried again.</summary>
    [DataMember(Name = "pending")]
    public int Pending { get; init; }

    /// <summary>Why the last attempt failed; absent when it did not.</summary>
    [DataMember(Name = "lastError")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LastError { get; init; }
}

/// <summary>What SubscribeAlerts asks for.</summary>
[DataContract]
public sealed class AlertsRequest
{
    /// <summary>An existing namespace.</summary>
    [DataMember(Name = "namespace")]
    public string? Namespace { get; init; }
}

/// <summary>The answer: the subscription's id on this connection, and every alert of the namespace.</summary>
[DataContract]
public sealed class AlertsReply
{
    /// <summary>The id that ends the subscription.</summary>
    [DataMember(Name = "subscription")]
    public required int Subscription { get; init; }

    /// <summary>By id.</summary>
    [DataMember(Name = "alerts")]
    public required IReadOnlyList<Alert> Alerts { get; init; }
}
