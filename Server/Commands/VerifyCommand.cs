using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Sketch.Server.Rest;
using Sketch.Server.Verify;

namespace Sketch.Server.Commands;

/// <summary><c>sketch verify</c>: asks a running node to compare log, memory and ClickHouse. Exit code 1 when they differ.</summary>
internal static class VerifyCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<Uri> url = CommonOptions.Url();
        Option<bool> json = CommonOptions.Json();
        Command command = new("verify", "Compute windows again from the log and compare them, totals and history with what ClickHouse holds. Exit code 1 when they differ.") { url, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using NodeClient node = new(parsed.GetRequiredValue(url), answerTime: Timeout.InfiniteTimeSpan);
            VerifyAnswer answer = await node
                .SendAsync(HttpMethod.Post, "v1/verify", new VerifyBody(), AnswersJson.Readable.VerifyBody, AnswersJson.Readable.VerifyAnswer, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(json))
                await terminal.Output.WriteLineAsync(JsonSerializer.Serialize(answer, AnswersJson.Readable.VerifyAnswer)).ConfigureAwait(false);
            else
                Write(terminal.Output, answer);
            return answer.Same ? ExitCode.Done : ExitCode.Failed;
        });
        return command.WithExamples("sketch verify", "sketch verify --json");
    }

    private static void Write(TextWriter output, VerifyAnswer answer)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"log     positions {answer.FromPosition} to {answer.ToPosition}: {answer.Windows} windows computed again ({answer.WindowsNotKept} of them no longer kept as deltas), {answer.Rows} rows"));
        output.WriteLine($"        the log says {answer.LogDigest}, ClickHouse's deltas {answer.DeltasDigest}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"totals  {answer.Counters} counters"));
        output.WriteLine($"        memory says {answer.MemoryDigest}, ClickHouse {answer.TotalsDigest}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"kinds   {answer.Distincts} counters of distinct elements and {answer.Items} items, memory against ClickHouse"));
        string leftOut = answer.LogElementsLeftOut == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" ({answer.LogElementsLeftOut} more were too many)");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"        {answer.LogElements} states, members and items of the log against ClickHouse{leftOut}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"history {answer.Hours} hours against deltas, {answer.Days} days against hours"));
        foreach (VerifyDifference difference in answer.Differences)
            output.WriteLine($"DIFFERS {difference.What} {difference.Where}: {difference.Expected} expected, found {difference.Found}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(answer.Same ? "All the same" : "NOT the same")}, in {answer.Seconds:0.0} s."));
    }
}
