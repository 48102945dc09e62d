using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Sketch.Engine;
using Sketch.Engine.Increments;
using Sketch.Server.Commands.Bench;

namespace Sketch.Server.Commands;

/// <summary><c>sketch bench node</c>: measures a node of its own, all stages on, with the load generator on the same machine.</summary>
internal static class BenchCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<int> counters = CommonOptions.Whole("--counters", "Counters", 1, 100_000_000, 1_000_000);
        Option<string> spread = CommonOptions.Word("--spread", "How increments fall on counters", "zipf", "zipf", "uniform");
        Option<string> tier = CommonOptions.Word("--tier", "Tier of the counters", "approximate", "strong", "eventual", "approximate");
        Option<bool> early = new("--ack-early") { Description = "Acknowledge what is written, before the fsync (strong counters wait anyway)." };
        Option<int> seconds = CommonOptions.Whole("--seconds", "How long it counts", 1, 3_600, 60);
        Option<int> batch = CommonOptions.Whole("--batch", "Increments a batch", 1, EngineLimits.MaxBatchIncrements, 1_000);
        Option<int> connections = CommonOptions.Whole("--connections", "Connections", 1, 1_024, 8);
        Option<bool> byRequest = new("--by-request") { Description = "Send each batch as a request of its own, instead of streams of batches." };
        Option<bool> compact = new("--compact") { Description = "Send numbers of names, sorted beforehand, instead of ids (streams; at most 2,097,152 counters)." };
        Option<string> width = CommonOptions.Word("--delta-bytes", "Bytes of a delta on the wire; 0 leaves the column out", "8", "0", "1", "2", "4", "8");
        Option<int> window = CommonOptions.Whole("--window", "Seconds a window stays open", 1, 3_600, 5);
        Option<string?> data = new("--data") { Description = "A folder for the node, which is deleted afterwards (default: one in the system's temporary folder).", HelpName = "DIR" };
        Option<bool> json = CommonOptions.Json();
        Command node = new("node", "Start a node on a new folder, count as fast as it takes it, and wait until ClickHouse holds every increment.")
        {
            counters, spread, tier, early, seconds, batch, connections, byRequest, compact, width, window, data, json,
        };
        node.SetAction(async (parsed, cancellationToken) =>
        {
            NodeBenchOptions options = new()
            {
                Counters = parsed.GetValue(counters),
                IsZipf = parsed.GetValue(spread) == "zipf",
                Tier = parsed.GetRequiredValue(tier),
                Durable = !parsed.GetValue(early),
                Seconds = parsed.GetValue(seconds),
                BatchIncrements = parsed.GetValue(batch),
                Connections = parsed.GetValue(connections),
                ByRequest = parsed.GetValue(byRequest),
                Compact = parsed.GetValue(compact),
                DeltaBytes = int.Parse(parsed.GetRequiredValue(width), CultureInfo.InvariantCulture),
            };
            if (options.Compact && (options.ByRequest || options.Counters > NumberedNames.Most))
                throw new CommandException($"--compact with {(options.ByRequest ? "--by-request" : $"--counters {options.Counters}")}; allowed: streams, at most {NumberedNames.Most} counters");
            string folder = parsed.GetValue(data) is { } named ? Path.GetFullPath(named) : Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            if (Directory.Exists(folder))
                throw new CommandException($"--data is {folder}, which exists; allowed: a folder that is not there yet");
            NodeBenchReport report = await RunAsync(options, folder, parsed.GetValue(window), terminal, cancellationToken).ConfigureAwait(false);
            await terminal.Output.WriteLineAsync(
                parsed.GetValue(json) ? JsonSerializer.Serialize(report, NodeBenchJson.Default.NodeBenchReport) : report.ToText()).ConfigureAwait(false);
            return report.ExactTotal == report.Increments ? ExitCode.Done : ExitCode.Failed;
        });
        node.WithExamples("sketch bench node", "sketch bench node --counters 10000000 --spread uniform --json");
        Command bench = new("bench", "Measure this machine.") { node, Latency(terminal), Recovery(terminal), Flood(terminal), Distinct(terminal), Live(terminal) };
        return bench.WithExamples("sketch bench node --seconds 20", "sketch bench latency", "sketch bench recovery --counters 10000000");
    }

    private static Command Latency(Terminal terminal)
    {
        Option<int> seconds = CommonOptions.Whole("--seconds", "How long each kind of call is made", 1, 600, 10);
        Option<int> load = CommonOptions.Whole("--load", "Increments a second beside which the calls are made once more; 0 for none", 0, 100_000_000, 5_000_000);
        Option<bool> json = CommonOptions.Json();
        Command latency = new("latency", "Single increments and reads, one after the other on one connection, at rest and beside a load.") { seconds, load, json };
        latency.SetAction((parsed, cancellationToken) => OnNodeAsync([], async node =>
        {
            LatencyReport report = await new LatencyBench(node, parsed.GetValue(seconds), parsed.GetValue(load), terminal.Error.WriteLine)
                .RunAsync(cancellationToken).ConfigureAwait(false);
            await terminal.Output.WriteLineAsync(
                parsed.GetValue(json) ? JsonSerializer.Serialize(report, LatencyJson.Default.LatencyReport) : report.ToText()).ConfigureAwait(false);
            return ExitCode.Done;
        }, cancellationToken));
        return latency;
    }

    private static Command Recovery(Terminal terminal)
    {
        Option<int> counters = CommonOptions.Whole("--counters", "Counters", 1, 100_000_000, 1_000_000);
        Option<bool> json = CommonOptions.Json();
        Command recovery = new("recovery", "Kill a node with a full window in its log, and time its next start.") { counters, json };
        recovery.SetAction((parsed, cancellationToken) => InFolderAsync(async folder =>
        {
            RecoveryReport report = await new RecoveryBench(parsed.GetValue(counters), folder, terminal.Error.WriteLine).RunAsync(cancellationToken).ConfigureAwait(false);
            await terminal.Output.WriteLineAsync(
                parsed.GetValue(json) ? JsonSerializer.Serialize(report, RecoveryJson.Default.RecoveryReport) : report.ToText()).ConfigureAwait(false);
            return report.CountersAfter == report.Counters ? ExitCode.Done : ExitCode.Failed;
        }));
        return recovery;
    }

    private static Command Flood(Terminal terminal)
    {
        Option<int> names = CommonOptions.Whole("--names", "Random new names", 5_000, 1_000_000_000, 50_000_000);
        Option<bool> json = CommonOptions.Json();
        Command flood = new("flood", "Throw random new names at a namespace with a quota while a neighbour counts.") { names, json };
        flood.SetAction((parsed, cancellationToken) => OnNodeAsync([], async node =>
        {
            FloodReport report = await new FloodBench(node, parsed.GetValue(names), terminal.Error.WriteLine).RunAsync(cancellationToken).ConfigureAwait(false);
            await terminal.Output.WriteLineAsync(
                parsed.GetValue(json) ? JsonSerializer.Serialize(report, FloodJson.Default.FloodReport) : report.ToText()).ConfigureAwait(false);
            return report.IsRight ? ExitCode.Done : ExitCode.Failed;
        }, cancellationToken));
        return flood;
    }

    private static Command Distinct(Terminal terminal)
    {
        Option<int> counters = CommonOptions.Whole("--counters", "Counters of the kind distinct", 1, EngineLimits.MaxDistinctCounters, EngineLimits.MaxDistinctCounters);
        Option<int> elements = CommonOptions.Whole("--elements", "Elements a counter, in the mean", 1, 1_000, 10);
        Option<bool> json = CommonOptions.Json();
        Command distinct = new("distinct", "Many approximate counters of distinct elements: what they cost the node.") { counters, elements, json };
        distinct.SetAction((parsed, cancellationToken) => OnNodeAsync(["--window", "2"], async node =>
        {
            DistinctReport report = await new DistinctBench(node, parsed.GetValue(counters), parsed.GetValue(elements), terminal.Error.WriteLine)
                .RunAsync(cancellationToken).ConfigureAwait(false);
            await terminal.Output.WriteLineAsync(
                parsed.GetValue(json) ? JsonSerializer.Serialize(report, DistinctJson.Default.DistinctReport) : report.ToText()).ConfigureAwait(false);
            return ExitCode.Done;
        }, cancellationToken));
        return distinct;
    }

    private static Command Live(Terminal terminal)
    {
        Option<int> connections = CommonOptions.Whole("--connections", "Dashboards, each a connection to the hub", 1, 16_000, 1_000);
        Option<int> counters = CommonOptions.Whole("--counters", "Counters that each watches", 1, 1_000, 20);
        Option<int> interval = CommonOptions.Whole("--interval", "Milliseconds between frames", 50, 60_000, 1_000);
        Option<int> load = CommonOptions.Whole("--load", "Increments a second meanwhile; 0 for none", 0, 100_000_000, 1_000_000);
        Option<int> stalled = CommonOptions.Whole("--stalled", "Clients that stop reading, in the second half", 0, 10_000, 100);
        Option<int> loopers = CommonOptions.Whole("--loopers", "Clients that connect again and again, in the second half", 0, 1_000, 10);
        Option<int> seconds = CommonOptions.Whole("--seconds", "How long each half is measured", 1, 3_600, 10);
        Option<bool> json = CommonOptions.Json();
        Command live = new("live", "Dashboards on the hub while counters are counted: frames, their age, and what clients that misbehave cost the others.")
        {
            connections, counters, interval, load, stalled, loopers, seconds, json,
        };
        live.SetAction((parsed, cancellationToken) => OnNodeAsync([], async node =>
        {
            LiveBenchOptions options = new()
            {
                Connections = parsed.GetValue(connections),
                CountersEach = parsed.GetValue(counters),
                IntervalMs = parsed.GetValue(interval),
                LoadPerSecond = parsed.GetValue(load),
                Stalled = parsed.GetValue(stalled),
                Loopers = parsed.GetValue(loopers),
                Seconds = parsed.GetValue(seconds),
            };
            LiveReport report = await new LiveBench(options, node, terminal.Error.WriteLine).RunAsync(cancellationToken).ConfigureAwait(false);
            await terminal.Output.WriteLineAsync(
                parsed.GetValue(json) ? JsonSerializer.Serialize(report, LiveJson.Default.LiveReport) : report.ToText()).ConfigureAwait(false);
            return report.ClosedByNode == 0 ? ExitCode.Done : ExitCode.Failed;
        }, cancellationToken));
        return live.WithExamples("sketch bench live --connections 10000", "sketch bench live --interval 100 --stalled 100 --loopers 10");
    }

    private static Task<int> OnNodeAsync(string[] options, Func<ServedNode, Task<int>> work, CancellationToken cancellationToken) => InFolderAsync(async folder =>
    {
        ServedNode node = await ServedNode.StartAsync(["--data", folder, .. options], cancellationToken).ConfigureAwait(false);
        await using (node.ConfigureAwait(false))
        {
            return await work(node).ConfigureAwait(false);
        }
    });

    private static async Task<int> InFolderAsync(Func<string, Task<int>> work)
    {
        string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            return await work(folder).ConfigureAwait(false);
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<NodeBenchReport> RunAsync(
        NodeBenchOptions options, string folder, int window, Terminal terminal, CancellationToken cancellationToken)
    {
        try
        {
            ServedNode served = await ServedNode.StartAsync(
                ["--data", folder, "--window", window.ToString(CultureInfo.InvariantCulture)], cancellationToken).ConfigureAwait(false);
            await using (served.ConfigureAwait(false))
            {
                return await new NodeBench(options, served, terminal.Error.WriteLine).RunAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }
}
