using System.Text.Json.Serialization;

namespace Sketch.Server.Rest;

// The shapes of request bodies, for the OpenAPI document and for the command line: the node reads them member by member, so that each error can name its place.

/// <summary>A namespace's definition.</summary>
internal sealed record NamespaceBody(string? Tier, bool? Durable, int? RetentionDays, int? MaxCounters, int? LifetimeDays = null);

/// <summary>A counter's definition.</summary>
internal sealed record CounterBody(string? Kind, string? Tier, int? K, Dictionary<string, string>? Labels);

/// <summary>An alert's rule.</summary>
internal sealed record AlertBody(
    string Counter, string? Of, double? Above, double? Below, string? When, double? Confidence, int? OverSeconds, int? ForSeconds, WebhookTargetBody? Webhook);

/// <summary>Where an alert is delivered to.</summary>
internal sealed record WebhookTargetBody(string Url, string Secret);

/// <summary>Names of counters.</summary>
internal sealed record NamesBody(IReadOnlyList<string> Names);

/// <summary>A batch of increments.</summary>
internal sealed record IncrementsBody(string? Producer, long? Sequence, IReadOnlyList<IncrementBody> Increments);

/// <summary>One increment.</summary>
internal sealed record IncrementBody(string Name, long? Delta = null, string? Element = null);

/// <summary>Bodies that the command line sends.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NamesBody))]
[JsonSerializable(typeof(NamespaceBody))]
[JsonSerializable(typeof(CounterBody))]
[JsonSerializable(typeof(IncrementsBody))]
internal sealed partial class BodiesJson : JsonSerializerContext;
