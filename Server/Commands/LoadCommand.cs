using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Sketch.Engine;
using Sketch.Server.Commands.Load;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands;

/// <summary><c>sketch load FILE...</c>: counts the words or lines of files, or the increments in them.</summary>
internal static class LoadCommand
{
    private const int TopCount = 10;

    // Each connection adds a point and its number.
    private const int MaxProducerBytes = EngineLimits.MaxProducerBytes - 4;

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string[]> files = new("FILE") { Description = "Files to count; - reads the standard input.", Arity = ArgumentArity.OneOrMore };
        Option<string> @namespace = new("--namespace", "-n") { Description = "Where to count; made when missing.", HelpName = "NS", Required = true };
        Option<string> format = CommonOptions.Word("--format", "What files hold; csv and ndjson are known by a file's ending", "text", LoadFormats.Words);
        Option<string> split = CommonOptions.Word("--split", "What a name is, in text", "words", "words", "lines");
        Option<Uri> url = CommonOptions.Url();
        Option<int> batch = CommonOptions.Whole("--batch", "Increments a batch", 1, EngineLimits.MaxBatchIncrements, EngineLimits.MaxBatchIncrements);
        Option<int> connections = CommonOptions.Whole("--connections", "Batches in flight", 1, 64, 4);
        Option<string?> producer = new("--producer")
        {
            Description = "A name for this load: repeating the same command with the same name counts nothing twice (default: a random one).",
            HelpName = "NAME",
        };
        producer.Validators.Add(result =>
        {
            string name = result.GetValueOrDefault<string>() ?? "";
            if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > MaxProducerBytes || name.Any(char.IsControl))
                result.AddError($"--producer is {(name.Length == 0 ? "empty" : name)}; allowed: 1 to {MaxProducerBytes} bytes without control characters");
        });
        Option<string> tier = CommonOptions.Word("--tier", "Tier of a namespace that has to be made", "approximate", "strong", "eventual", "approximate");
        Option<int> retry = CommonOptions.Whole("--retry-seconds", "How long to retry while the node is away", 0, 86_400, 120);
        Option<bool> json = CommonOptions.Json();
        Command command = new("load", "Count the words or lines of files, one increment each, or the increments that they hold as CSV or NDJSON, through the REST door.")
        {
            files, @namespace, format, split, url, batch, connections, producer, tier, retry, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(split) is { Implicit: false } && result.GetResult(format) is { Implicit: false } && result.GetValue(format) is { } word and not "text")
                result.AddError($"--split is {result.GetValue(split)} with --format {word}; allowed: with --format text");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            bool isNamed = parsed.GetResult(format) is { Implicit: false };
            bool isText = parsed.GetResult(split) is { Implicit: false };
            LoadOptions options = new()
            {
                Files = parsed.GetRequiredValue(files),
                Namespace = parsed.GetRequiredValue(@namespace),
                // Who says how text is cut says that it is text.
                Format = isNamed ? LoadFormats.Of(parsed.GetRequiredValue(format)) : isText ? LoadFormat.Text : null,
                Split = parsed.GetRequiredValue(split) == "lines" ? Split.Lines : Split.Words,
                Url = parsed.GetRequiredValue(url),
                BatchIncrements = parsed.GetValue(batch),
                Connections = parsed.GetValue(connections),
                Producer = parsed.GetValue(producer) ?? "load-" + Guid.NewGuid().ToString("N")[..12],
                Tier = parsed.GetValue(tier),
                RetryTime = TimeSpan.FromSeconds(parsed.GetValue(retry)),
            };
            return RunAsync(terminal, options, parsed.GetValue(json), cancellationToken);
        });
        return command.WithExamples(
            "sketch load book.txt --namespace words --split words",
            "sketch load access.log --namespace lines --split lines --tier eventual",
            "sketch load exported.csv --namespace restored",
            "zcat *.gz | sketch load - -n words --json");
    }

    private static async Task<int> RunAsync(Terminal terminal, LoadOptions options, bool json, CancellationToken cancellationToken)
    {
        long? total = TotalBytes(options.Files);
        using Loader loader = new(options, terminal, TimeProvider.System);
        await loader.PrepareAsync(cancellationToken).ConfigureAwait(false);
        Task work = loader.RunAsync(cancellationToken);
        await LoadReport.ShowAsync(terminal, loader.Progress, total, work).ConfigureAwait(false);
        LoadProgress progress = loader.Progress;
        TimeSpan elapsed = progress.Elapsed;
        double perSecond = progress.PerSecond;
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (Exception)
        {
            await terminal.Error.WriteLineAsync($"sketch: {LoadReport.Line(progress, total)} when it ended; producer {options.Producer}").ConfigureAwait(false);
            throw;
        }

        ValuesAnswer top = await loader.TopAsync(TopCount, cancellationToken).ConfigureAwait(false);
        if (json)
        {
            LoadSummary summary = new(
                options.Namespace, progress.Increments, loader.Skipped, progress.Bytes, Math.Round(elapsed.TotalSeconds, 3), Math.Round(perSecond),
                progress.Batches, progress.Duplicates, progress.Retries, options.Producer, top.Values);
            await terminal.Output.WriteLineAsync(JsonSerializer.Serialize(summary, LoadJson.Default.LoadSummary)).ConfigureAwait(false);
            return ExitCode.Done;
        }

        bool isText = options.Files.All(f => (options.Format ?? LoadFormats.ByEnding(f)) == LoadFormat.Text);
        string what = !isText ? "increments" : options.Split == Split.Words ? "words" : "lines";
        await terminal.Output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"Counted {progress.Increments:N0} {what} in {elapsed.TotalSeconds:0.0} s ({perSecond:N0} a second), skipped {loader.Skipped:N0}.")).ConfigureAwait(false);
        if (progress.Duplicates > 0)
            await terminal.Output.WriteLineAsync($"Of {progress.Batches} batches {progress.Duplicates} had been counted before, and were not counted again.").ConfigureAwait(false);
        ValueTables.Write(terminal, top.Values, json: false);
        return ExitCode.Done;
    }

    private static long? TotalBytes(IReadOnlyList<string> files)
    {
        long total = 0;
        foreach (string file in files)
        {
            if (file == "-")
                return null;
            if (!File.Exists(file))
                throw new CommandException($"FILE is {file}, which does not exist; allowed: files that can be read, or - for the standard input", ExitCode.Usage);
            total += new FileInfo(file).Length;
        }

        return total;
    }
}
