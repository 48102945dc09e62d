using System.CommandLine;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands;

/// <summary><c>sketch top NAMESPACE</c>: the heaviest counters.</summary>
internal static class TopCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> @namespace = new("NAMESPACE") { Description = "The namespace." };
        Option<int> k = CommonOptions.Whole("--count", "How many", 1, QueryParameters.MaxValues, 10, "-k");
        Option<Uri> url = CommonOptions.Url();
        Option<double> confidence = CommonOptions.Confidence();
        Option<bool> json = CommonOptions.Json();
        Command command = new("top", "Print a namespace's heaviest counters, live.") { @namespace, k, url, confidence, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using NodeClient node = new(parsed.GetRequiredValue(url));
            string path = FormattableString.Invariant(
                $"{NodeClient.Namespace(parsed.GetRequiredValue(@namespace))}/top?k={parsed.GetValue(k)}&confidence={parsed.GetValue(confidence)}");
            ValuesAnswer answer = await node.GetAsync(path, AnswersJson.Readable.ValuesAnswer, cancellationToken).ConfigureAwait(false);
            ValueTables.Write(terminal, answer.Values, parsed.GetValue(json));
            return ExitCode.Done;
        });
        return command.WithExamples("sketch top demo", "sketch top words -k 50 --json");
    }
}
