using System.Globalization;
using System.Text.Json.Serialization;
using Sketch.Engine.Reads;
using Spectre.Console;

namespace Sketch.Server.Commands.Load;

/// <summary>What a load did, for --json.</summary>
internal sealed record LoadSummary(
    string Namespace,
    long Increments,
    long Skipped,
    long Bytes,
    double Seconds,
    double PerSecond,
    long Batches,
    long Duplicates,
    long Retries,
    string Producer,
    IReadOnlyList<CounterValue> Top);

/// <summary>The JSON of a load.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LoadSummary))]
internal sealed partial class LoadJson : JsonSerializerContext;

/// <summary>Shows a running load: a bar for people, a line now and then for logs.</summary>
internal static class LoadReport
{
    private static readonly TimeSpan BarStep = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LineStep = TimeSpan.FromSeconds(2);

    /// <summary>Shows progress until the work ends.</summary>
    public static async Task ShowAsync(Terminal terminal, LoadProgress progress, long? totalBytes, Task work)
    {
        if (!terminal.IsInteractive)
        {
            while (await Task.WhenAny(work, Task.Delay(LineStep)).ConfigureAwait(false) != work)
                await terminal.Error.WriteLineAsync(Line(progress, totalBytes)).ConfigureAwait(false);
            return;
        }

        await ValueTables.Console(terminal.Error, isInteractive: true).Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new SpinnerColumn())
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask("counting", maxValue: totalBytes ?? 1);
                bar.IsIndeterminate = totalBytes is null or 0;
                bool ended = false;
                while (!ended)
                {
                    ended = await Task.WhenAny(work, Task.Delay(BarStep)).ConfigureAwait(false) == work;
                    bar.Value = progress.Bytes;
                    string state = progress.IsWaiting ? "[yellow]waiting for the node[/]" : "counting";
                    bar.Description = $"{state} {ValueTables.Number(progress.Increments)} at {ValueTables.Number((long)progress.PerSecond)} a second";
                }
            }).ConfigureAwait(false);
    }

    /// <summary>One line on where it stands.</summary>
    public static string Line(LoadProgress progress, long? totalBytes)
    {
        string line = $"counted {ValueTables.Number(progress.Increments)}, {ValueTables.Number((long)progress.PerSecond)} a second";
        if (totalBytes is > 0 && progress.Bytes > 0)
        {
            double share = Math.Min(1, (double)progress.Bytes / totalBytes.Value);
            TimeSpan left = progress.Elapsed * ((1 - share) / share);
            line += string.Create(CultureInfo.InvariantCulture, $", {share:P0}, {left.TotalSeconds:0} s left");
        }

        return progress.IsWaiting ? line + ", waiting for the node to answer" : line;
    }
}
