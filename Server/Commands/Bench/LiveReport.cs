using System.Globalization;
using System.Text.Json.Serialization;

namespace Sketch.Server.Commands.Bench;

/// <summary>What some seconds of watching came to.</summary>
internal sealed record LivePhase
{
    public required double FramesPerSecond { get; init; }

    public required long BytesPerFrame { get; init; }

    public required double ValuesPerFrame { get; init; }

    /// <summary>How much older than its interval what a dashboard shows becomes before it is replaced.</summary>
    public required double P50Ms { get; init; }

    public required double P99Ms { get; init; }

    public required double P999Ms { get; init; }

    public required double NodeCores { get; init; }

    public required double ClientCores { get; init; }

    public required double IncrementsPerSecond { get; init; }

    /// <summary>Memory of the node at the start.</summary>
    public required long NodeBytes { get; init; }

    /// <summary>And at the end.</summary>
    public required long NodeBytesAfter { get; init; }

    public string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"{FramesPerSecond:N0} frames/s of {ValuesPerFrame:0.0} values and {BytesPerFrame:N0} bytes; over its interval old at most P50 {P50Ms} ms, P99 {P99Ms} ms, P99.9 {P999Ms} ms; node {NodeCores} cores, clients and load {ClientCores}; {IncrementsPerSecond / 1e6:0.00} M increments/s; node {NodeBytes >> 20:N0} MiB, then {NodeBytesAfter >> 20:N0}");
}

/// <summary>What <c>sketch bench live</c> found.</summary>
internal sealed record LiveReport
{
    public required int Connections { get; init; }

    public required int CountersEach { get; init; }

    public required int IntervalMs { get; init; }

    public required long BytesPerClient { get; init; }

    public required int Stalled { get; init; }

    public required int Loopers { get; init; }

    /// <summary>How often the loopers connected.</summary>
    public required long Loops { get; init; }

    /// <summary>Dashboards that read and were closed all the same: none should be.</summary>
    public required long ClosedByNode { get; init; }

    public required LivePhase Alone { get; init; }

    public required LivePhase? Beside { get; init; }

    public required LiveAudit Audit { get; init; }

    public string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {Connections:N0} dashboards of {CountersEach} counters, a frame each {IntervalMs} ms; {BytesPerClient / 1024.0:0.0} KiB of the node's memory each; {ClosedByNode} closed by the node
          alone   {Alone.ToText()}
          beside  {Beside?.ToText() ?? "not measured"} ({Stalled} stalled, {Loopers} loopers that connected {Loops:N0} times)
          seen    {Audit.ToText()}
        """);
}

/// <summary>As JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LiveReport))]
internal sealed partial class LiveJson : JsonSerializerContext;
