using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Sketch.Server.Backups;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands;

/// <summary><c>sketch backup DIR</c>: asks a running node for a backup.</summary>
internal static class BackupCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> folder = new("DIR") { Description = "The folder of backups, on the node's machine." };
        Option<Uri> url = CommonOptions.Url();
        Option<bool> full = new("--full") { Description = "A full one; without it the difference to the last full one, where there is one." };
        Option<int> keep = CommonOptions.Whole("--keep", "How many backups stay in DIR", 1, 1_000, 30);
        Option<bool> json = CommonOptions.Json();
        Command command = new("backup", "Back a running node up: ClickHouse as of one position of the log, and what a restore needs beside it.") { folder, url, full, keep, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using NodeClient node = new(parsed.GetRequiredValue(url), answerTime: Timeout.InfiniteTimeSpan);
            BackupBody body = new(Path.GetFullPath(parsed.GetRequiredValue(folder)), parsed.GetValue(full), parsed.GetValue(keep));
            BackupAnswer answer = await node
                .SendAsync(HttpMethod.Post, "v1/backups", body, AnswersJson.Readable.BackupBody, AnswersJson.Readable.BackupAnswer, cancellationToken).ConfigureAwait(false);
            await terminal.Output.WriteLineAsync(parsed.GetValue(json) ? JsonSerializer.Serialize(answer, AnswersJson.Readable.BackupAnswer) : Text(answer)).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command.WithExamples("sketch backup /var/backups/sketch", "sketch backup /var/backups/sketch --full --keep 30");
    }

    private static string Text(BackupAnswer answer) => string.Create(
        CultureInfo.InvariantCulture,
        $"Backup {answer.Name}{(answer.Base is { } basis ? $" (with {basis})" : "")}: exact up to position {answer.Position}, log up to {answer.LogEnd}, {answer.Files} files, {answer.Bytes / 1048576.0:0.0} MiB, {answer.Seconds:0.0} s"
        + $"{(answer.Deleted.Count > 0 ? $"; deleted {string.Join(", ", answer.Deleted)}" : "")}");
}
