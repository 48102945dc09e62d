using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sketch.Engine.Log;
using Sketch.Server.Hosting;
using Spectre.Console;

namespace Sketch.Server.Commands;

/// <summary><c>sketch log DIR</c>: prints what a log holds, and checks every byte of it. It only reads, also beside a running node.</summary>
internal static class LogCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> folder = new("DIR") { Description = "A node's data folder, or the folder of its log." };
        Option<bool> json = CommonOptions.Json();
        Command command = new("log", "Print and check a log: segments, records, the first bad place. Exit code 1 when it is damaged.") { folder, json };
        command.SetAction((parsed, cancellationToken) =>
            Task.Run(() => Run(terminal, parsed.GetRequiredValue(folder), parsed.GetValue(json), cancellationToken), cancellationToken));
        return command.WithExamples("sketch log ./data", "sketch log ./data --json");
    }

    private static int Run(Terminal terminal, string folder, bool json, CancellationToken cancellationToken)
    {
        string log = Directory.Exists(Path.Combine(folder, NodeParts.LogFolder)) ? Path.Combine(folder, NodeParts.LogFolder) : folder;
        if (!Directory.Exists(log))
            throw new CommandException($"DIR is {folder}; allowed: a node's data folder", ExitCode.Usage);

        bool isInUse = DataFolder.IsInUse(Path.GetDirectoryName(Path.GetFullPath(log)) ?? log);
        LogInspection? found;
        try
        {
            found = LogInspector.Inspect(log, new LinuxDisk(), progress: null, cancellationToken);
        }
        catch (IOException failure) when (failure is LogDiskException or LogFormatException)
        {
            throw new CommandException(failure.Message);
        }

        if (found is null)
            throw new CommandException($"DIR is {folder}, which holds no log; allowed: a node's data folder", ExitCode.Usage);

        if (json)
            terminal.Output.WriteLine(JsonSerializer.Serialize(new LogAnswer(Path.GetFullPath(log), isInUse, found.Damage is null, found), LogJson.Default.LogAnswer));
        else
            Write(terminal, log, isInUse, found);
        return found.Damage is null ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Write(Terminal terminal, string log, bool isInUse, LogInspection found)
    {
        IAnsiConsole console = ValueTables.Console(terminal.Output, terminal.IsInteractive);
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{log}: log {found.Identity.Number} of incarnation {found.Identity.Incarnation:x16}, {found.Partitions} partitions{(isInUse ? "; a node has it open" : "")}"));

        Table segments = new Table().AddColumns("Segment", "First", "Records", "Bytes", "From", "To");
        foreach (SegmentInspection segment in found.Segments)
        {
            segments.AddRow(
                segment.File, Number(segment.First), Number(segment.Records), Number(segment.Bytes), Time(segment.FirstTimeMs), Time(segment.LastTimeMs));
        }

        console.Write(segments);
        Table kinds = new Table().AddColumns("Kind", "Records", "Bytes");
        foreach (KindInspection kind in found.Kinds)
            kinds.AddRow(kind.Kind.ToString(), Number(kind.Records), Number(kind.Bytes));
        console.Write(kinds);
        if (found.Spares > 0)
            console.WriteLine($"{found.Spares} more files wait to be written over.");
        if (found.UnfinishedBytes > 0)
            console.WriteLine($"The last {Number(found.UnfinishedBytes)} bytes are an unfinished write, never acknowledged as durable; the next start cuts them off.");
        console.WriteLine(found.Damage is { } damage
            ? $"DAMAGED: {damage.File}, offset {damage.Offset}, position {damage.Position}: {damage.Reason}"
            : "Every record is good.");
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Time(long milliseconds) => milliseconds == 0
        ? ""
        : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}

/// <summary>What <c>sketch log --json</c> prints.</summary>
/// <param name="Folder">The log's folder.</param>
/// <param name="InUse">A node has it open.</param>
/// <param name="Good">Nothing in it is damaged.</param>
/// <param name="Log">What is in it.</param>
internal sealed record LogAnswer(string Folder, bool InUse, bool Good, LogInspection Log);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(LogAnswer))]
internal sealed partial class LogJson : JsonSerializerContext;
