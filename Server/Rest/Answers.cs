using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sketch.Engine.Audit;
using Sketch.Engine.Reads;
using Sketch.Realtime.Alerts;

namespace Sketch.Server.Rest;

/// <summary>A namespace.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Tier">The tier of counters that name none: strong, eventual or approximate.</param>
/// <param name="Durable">Whether every acknowledgement waits for the fsync.</param>
/// <param name="RetentionDays">How long history is kept.</param>
/// <param name="MaxCounters">The most counters it may hold.</param>
/// <param name="LifetimeDays">For how many days a counter stays that nobody increments or defines.</param>
/// <param name="Counters">How many it holds.</param>
internal sealed record NamespaceAnswer(string Name, string Tier, bool Durable, int RetentionDays, int MaxCounters, int LifetimeDays, long Counters);

/// <summary>The namespaces of a node.</summary>
/// <param name="Namespaces">By name.</param>
internal sealed record NamespacesAnswer(IReadOnlyList<NamespaceAnswer> Namespaces);

/// <summary>Counter values.</summary>
/// <param name="Values">In the order asked for; names that don't exist are left out.</param>
/// <param name="Cursor">Give it back as cursor for the next page; null on the last.</param>
internal sealed record ValuesAnswer(IReadOnlyList<CounterValue> Values, string? Cursor);

/// <summary>The alerts of a namespace.</summary>
/// <param name="Alerts">By id.</param>
internal sealed record AlertsAnswer(IReadOnlyList<Alert> Alerts);

/// <summary>How a batch ended.</summary>
/// <param name="Accepted">How many increments it counted, now or the first time.</param>
/// <param name="Duplicate">True when this producer and sequence had been counted before: nothing was counted again.</param>
/// <param name="Position">Where in the log the batch was first written.</param>
/// <param name="Values">The new values of the counters, when they are strong.</param>
internal sealed record IncrementsAnswer(
    int Accepted,
    bool Duplicate,
    long Position,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<CounterValue>? Values);

/// <summary>A counter over time: exact increments, or of the kind distinct how many different elements came.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Name">The counter.</param>
/// <param name="From">Start of the first step.</param>
/// <param name="To">End, exclusive.</param>
/// <param name="StepSeconds">What one point covers.</param>
/// <param name="Confidence">How sure the points' bounds are; missing when the points are exact.</param>
/// <param name="Points">Oldest first; steps without increments are left out.</param>
internal sealed record HistoryAnswer(
    string Namespace, string Name, DateTimeOffset From, DateTimeOffset To, int StepSeconds,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Confidence, IReadOnlyList<HistoryPointAnswer> Points);

/// <summary>One step.</summary>
/// <param name="Start">Its start.</param>
/// <param name="Value">The sum of the increments in it, or how many different elements came in it.</param>
/// <param name="Lower">The least that is true of different elements; missing when the value is exact.</param>
/// <param name="Upper">The most.</param>
internal sealed record HistoryPointAnswer(
    DateTimeOffset Start, long Value,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Lower,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Upper);

/// <summary>How the node is.</summary>
/// <param name="Status">opening, ready, failed or stopping.</param>
/// <param name="Node">The node's name.</param>
/// <param name="Version">The product's version.</param>
/// <param name="Engine">Figures of the engine, once it is open.</param>
/// <param name="Reason">What went wrong, when it failed.</param>
internal sealed record HealthAnswer(
    string Status,
    string Node,
    string Version,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Engine.EngineStatus? Engine,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason)
{
    /// <summary>How far it is, while it opens.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Engine.OpeningProgress? Opening { get; init; }
}

/// <summary>Every body that the REST interface writes.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CounterValue))]
[JsonSerializable(typeof(TopItems))]
[JsonSerializable(typeof(NamespaceAnswer))]
[JsonSerializable(typeof(NamespacesAnswer))]
[JsonSerializable(typeof(ValuesAnswer))]
[JsonSerializable(typeof(IncrementsAnswer))]
[JsonSerializable(typeof(HistoryAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(NamespaceAccuracy))]
[JsonSerializable(typeof(CounterAccuracy))]
[JsonSerializable(typeof(Alert))]
[JsonSerializable(typeof(AlertsAnswer))]
[JsonSerializable(typeof(Backups.BackupAnswer))]
[JsonSerializable(typeof(Backups.BackupBody))]
[JsonSerializable(typeof(Verify.VerifyAnswer))]
[JsonSerializable(typeof(Verify.VerifyBody))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class AnswersJson : JsonSerializerContext
{
    /// <summary>Writes names as people typed them: é, not \u00e9. Safe because every answer is application/json with nosniff.</summary>
    public static AnswersJson Readable { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
