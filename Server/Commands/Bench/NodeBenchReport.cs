using System.Globalization;
using System.Text.Json.Serialization;

namespace Sketch.Server.Commands.Bench;

/// <summary>What a measurement of the whole node gave, for --json.</summary>
internal sealed record NodeBenchReport
{
    /// <summary>Acknowledged increments a second over the measured time.</summary>
    public required double IncrementsPerSecond { get; init; }

    /// <summary>All increments acknowledged, those that named the counters included.</summary>
    public required long Increments { get; init; }

    /// <summary>What ClickHouse holds at the end: equal to <see cref="Increments"/>.</summary>
    public required long ExactTotal { get; init; }

    public required int Counters { get; init; }

    /// <summary>Memory of the exact totals a counter, in bytes.</summary>
    public double BytesPerCounter { get; init; }

    /// <summary>Memory of the names a counter, in bytes.</summary>
    public double NameBytesPerCounter { get; init; }

    public double LogBytesPerIncrement { get; init; }

    public required string Spread { get; init; }

    public required string Tier { get; init; }

    public required bool Durable { get; init; }

    public required int BytesOnTheWire { get; init; }

    public required double Seconds { get; init; }

    public required double SecondsToName { get; init; }

    /// <summary>Windows stored while it counted.</summary>
    public required long CheckpointsDuring { get; init; }

    /// <summary>From the last acknowledgement until ClickHouse held everything.</summary>
    public required double SecondsToExact { get; init; }

    public required double NodeNanosecondsPerIncrement { get; init; }

    public required double ClickHouseNanosecondsPerIncrement { get; init; }

    public required double ClientNanosecondsPerIncrement { get; init; }

    public required long NodePeakBytes { get; init; }

    public required long ClickHousePeakBytes { get; init; }

    /// <summary>For people.</summary>
    public string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {IncrementsPerSecond / 1e6:0.00} million increments a second, acknowledged {(Durable ? "after the fsync" : "when written")}: tier {Tier}, {Spread} over {Counters:N0} counters, {BytesOnTheWire} bytes an increment
        {Increments:N0} increments sent, ClickHouse holds {ExactTotal:N0}; {CheckpointsDuring} windows stored meanwhile, the rest {SecondsToExact:0.0} s after the end
        processor time an increment: node {NodeNanosecondsPerIncrement:0} ns, ClickHouse {ClickHouseNanosecondsPerIncrement:0} ns, load generator {ClientNanosecondsPerIncrement:0} ns
        memory at most: node {NodePeakBytes >> 20} MiB, ClickHouse {ClickHousePeakBytes >> 20} MiB; totals {BytesPerCounter:0.0} and names {NameBytesPerCounter:0.0} bytes a counter
        log: {LogBytesPerIncrement:0.0} bytes an increment
        """);
}

/// <summary>The JSON of a measurement.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(NodeBenchReport))]
internal sealed partial class NodeBenchJson : JsonSerializerContext;
