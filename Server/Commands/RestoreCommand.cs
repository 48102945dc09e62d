using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Server.Backups;

namespace Sketch.Server.Commands;

/// <summary><c>sketch restore DIR</c>: puts a backup into a data folder.</summary>
internal static class RestoreCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> folder = new("DIR") { Description = "The folder of backups." };
        Option<string> data = new("--data") { Description = "The node's data folder (default ./data); no node may have it open.", HelpName = "DIR", DefaultValueFactory = _ => "data" };
        Option<string?> name = new("--backup") { Description = "Which backup (default: the newest).", HelpName = "NAME" };
        Option<bool> overwrite = new("--overwrite") { Description = "Put aside what the data folder holds; nothing is deleted." };
        Option<bool> json = CommonOptions.Json();
        Command command = new("restore", "Put a backup into a data folder. A log of the same node there stays, and is replayed at the next start.") { folder, data, name, overwrite, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string backups = Path.GetFullPath(parsed.GetRequiredValue(folder));
            RestoreRun run = Prepare(backups, parsed.GetValue(name), Path.GetFullPath(parsed.GetRequiredValue(data)), parsed.GetValue(overwrite), out BackupManifest manifest);
            try
            {
                await RestoreProgress.ShowAsync(terminal.IsInteractive ? ValueTables.Console(terminal.Error, isInteractive: true) : null, run.RunAsync, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is CheckpointStoreException or LogDiskException or IOException or UnauthorizedAccessException)
            {
                throw new CommandException($"the backup {manifest.Name} can't be restored: {failure.Message}");
            }

            RestoreAnswer answer = new(manifest.Name, parsed.GetRequiredValue(data), manifest.Position, run.LogEnd, run.KeepsLog, run.PutAside);
            await terminal.Output.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(answer, RestoreJson.Default.RestoreAnswer) : Text(answer)).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command.WithExamples("sketch restore /var/backups/sketch --data ./data", "sketch restore /var/backups/sketch --backup 20261125T030000000Z-full --overwrite");
    }

    private static RestoreRun Prepare(string backups, string? name, string data, bool overwrite, out BackupManifest manifest)
    {
        IReadOnlyList<BackupManifest> all;
        try
        {
            all = BackupFolder.List(backups);
        }
        catch (InvalidDataException failure)
        {
            throw new CommandException(failure.Message, ExitCode.Usage);
        }

        if (all.Count == 0)
            throw new CommandException($"DIR is {backups}, which holds no backup; allowed: a folder that 'sketch backup' wrote", ExitCode.Usage);
        BackupManifest chosen = name is null
            ? all[^1]
            : all.FirstOrDefault(m => m.Name == name) ?? throw new CommandException($"--backup is {name}; allowed: {string.Join(", ", all.Select(m => m.Name))}", ExitCode.Usage);
        if (chosen.Base is { } basis && all.All(m => m.Name != basis))
            throw new CommandException($"--backup is {chosen.Name}, which needs {basis}, which is not in {backups}", ExitCode.Usage);
        manifest = chosen;
        return new RestoreRun(backups, chosen, data, overwrite, TimeProvider.System);
    }

    private static string Text(RestoreAnswer answer) => string.Create(
        CultureInfo.InvariantCulture,
        $"Restored {answer.Backup} into {answer.Data}: exact up to position {answer.Position}; the next start replays {(answer.KeepsLog ? "the folder's own log" : "the backup's copy of the log")} up to {answer.LogEnd}.")
        + string.Concat(answer.PutAside.Select(p => $"\nPut aside: {p}"));
}

/// <summary>What <c>sketch restore --json</c> prints.</summary>
/// <param name="Backup">The backup.</param>
/// <param name="Data">The data folder.</param>
/// <param name="Position">Up to this position ClickHouse is exact.</param>
/// <param name="LogEnd">Up to this position the next start replays.</param>
/// <param name="KeepsLog">True when the folder's own log is replayed, not the backup's copy.</param>
/// <param name="PutAside">What was put aside.</param>
internal sealed record RestoreAnswer(string Backup, string Data, long Position, long LogEnd, bool KeepsLog, IReadOnlyList<string> PutAside);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RestoreAnswer))]
internal sealed partial class RestoreJson : JsonSerializerContext;
