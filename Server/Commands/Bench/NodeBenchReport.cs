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

    /// <summary>Memory a counter, in bytes: id, exact total, and what is known of its name; in memory and out of it together.</summary>
    public double BytesPerCounter { get; init; }

    /// <summary>Counters whose total is in memory.</summary>
    public long CountersInMemory { get; init; }

    public double LogBytesPerIncrement { get; init; }

    public required string Spread { get; init; }

    public required string Tier { get; init; }

    public required bool Durable { get; init; }

    public required double BytesOnTheWire { get; init; }

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
        {IncrementsPerSecond / 1e6:0.00} million increments a second, acknowledged {(Durable ? "after the fsync" : "when written")}: tier {Tier}, {Spread} over {Counters:N0} counters, {BytesOnTheWire:0.#} bytes an increment
        {Increments:N0} increments sent, ClickHouse holds {ExactTotal:N0}; {CheckpointsDuring} windows stored meanwhile, the rest {SecondsToExact:0.0} s after the end
        processor time an increment: node {NodeNanosecondsPerIncrement:0} ns, ClickHouse {ClickHouseNanosecondsPerIncrement:0} ns, load generator {ClientNanosecondsPerIncrement:0} ns
        memory at most: node {NodePeakBytes >> 20} MiB, ClickHouse {ClickHousePeakBytes >> 20} MiB; {BytesPerCounter:0.0} bytes a counter, {CountersInMemory:N0} of {Counters:N0} totals at hand
        log: {LogBytesPerIncrement:0.0} bytes an increment
        """);
}

/// <summary>The JSON of a measurement.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(NodeBenchReport))]
internal sealed partial class NodeBenchJson : JsonSerializerContext;
