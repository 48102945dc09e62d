using System.Text.Json.Serialization;

namespace Sketch.Server.Commands;

/// <summary>What <c>sketch plan --json</c> prints; members that do not belong to the kind are left out.</summary>
/// <param name="Kind">sum, distinct or top.</param>
/// <param name="Confidence">How often errors stay within.</param>
/// <param name="Fulfilled">False when nothing keeps the wish; the plan is then the best there is.</param>
/// <param name="Explanation">The plan in words.</param>
internal sealed record PlanAnswer(string Kind, double Confidence, bool Fulfilled, string Explanation)
{
    /// <summary>Of a window's sketch (sum), or of one counter with many elements (distinct).</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>sum: cells a row.</summary>
    public long? Width { get; init; }

    /// <summary>sum: rows.</summary>
    public int? Depth { get; init; }

    /// <summary>sum: how long a window may be open.</summary>
    public double? WindowSeconds { get; init; }

    /// <summary>sum: what is counted in a window.</summary>
    public double? WindowWeight { get; init; }

    /// <summary>At the confidence, whatever comes: absolute (sum), or a share of the value (distinct).</summary>
    public double? ErrorAtMost { get; init; }

    /// <summary>sum: at the confidence, if all counters count the same.</summary>
    public double? ErrorIfEven { get; init; }

    /// <summary>distinct: 2^precision registers.</summary>
    public int? Precision { get; init; }

    /// <summary>distinct: as a share of the value.</summary>
    public double? StandardError { get; init; }

    /// <summary>top: candidates.</summary>
    public int? Capacity { get; init; }

    /// <summary>sum: the command line of a node with these parameters.</summary>
    public string? Serve { get; init; }
}

/// <summary>The plan as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PlanAnswer))]
internal sealed partial class PlanJson : JsonSerializerContext;
