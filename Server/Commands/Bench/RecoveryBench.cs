using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Bench;

/// <summary>How long a node takes from its start until it counts again, after it was killed with so many counters and a full window in the log.</summary>
internal sealed class RecoveryBench(int counters, string folder, Action<string> say)
{
    private const int LoadSeconds = 5;

    /// <summary>Runs it.</summary>
    public async Task<RecoveryReport> RunAsync(CancellationToken cancellationToken)
    {
        // A window that nobody closes while it is filled.
        string[] options = ["--data", folder, "--window", "30"];
        NodeBenchOptions load = new() { Counters = counters, Seconds = LoadSeconds, DeltaBytes = 0, Durable = false };
        long increments;
        ServedNode node = await ServedNode.StartAsync(options, cancellationToken).ConfigureAwait(false);
        await using (node.ConfigureAwait(false))
        {
            increments = await new NodeBench(load, node, say).FillAsync(cancellationToken).ConfigureAwait(false);
            node.Kill();
        }

        say("killed; starting again");
        long began = Stopwatch.GetTimestamp();
        node = await ServedNode.StartAsync(options, cancellationToken).ConfigureAwait(false);
        await using (node.ConfigureAwait(false))
        {
            double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            using NodeClient rest = new(node.Http);
            HealthAnswer health = await rest.GetAsync("health/ready", AnswersJson.Readable.HealthAnswer, cancellationToken).ConfigureAwait(false);
            return new RecoveryReport(counters, increments, Math.Round(seconds, 2), health.Engine!.Counters, node.Use().Node.PeakBytes);
        }
    }
}

/// <summary>What a measurement of a restart gave.</summary>
/// <param name="Counters">Counters before the kill.</param>
/// <param name="Increments">Increments in the log's open window when it was killed.</param>
/// <param name="SecondsToReady">From the start of the process until it counts and answers.</param>
/// <param name="CountersAfter">Counters after it.</param>
/// <param name="PeakBytes">The most memory the restarted node held.</param>
internal sealed record RecoveryReport(int Counters, long Increments, double SecondsToReady, long CountersAfter, long PeakBytes)
{
    /// <summary>For people.</summary>
    public string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"ready {SecondsToReady:0.0} s after the start: {CountersAfter:N0} counters of {Counters:N0}, {Increments:N0} increments in the window that was open; {PeakBytes >> 20} MiB at most");
}

/// <summary>The JSON of a restart.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(RecoveryReport))]
internal sealed partial class RecoveryJson : JsonSerializerContext;
