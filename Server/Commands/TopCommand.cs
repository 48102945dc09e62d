using System.CommandLine;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands;

/// <summary><c>sketch top NAMESPACE</c>: the heaviest counters.</summary>
internal static class TopCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> @namespace = new("NAMESPACE[/NAME]") { Description = "A namespace, or a counter of the kind top; its name is all after the first '/'." };
        Option<int> k = CommonOptions.Whole("--count", "How many", 1, QueryParameters.MaxValues, 10, "-k");
        Option<Uri> url = CommonOptions.Url();
        Option<double> confidence = CommonOptions.Confidence();
        Option<bool> json = CommonOptions.Json();
        Command command = new("top", "Print a namespace's heaviest counters, or a counter's largest items, live.") { @namespace, k, url, confidence, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using NodeClient node = new(parsed.GetRequiredValue(url));
            if (parsed.GetRequiredValue(@namespace).Split('/', 2) is [var owner, { Length: > 0 } name])
            {
                string items = FormattableString.Invariant($"{NodeClient.Namespace(owner)}/counters/{Uri.EscapeDataString(name)}/top?k={parsed.GetValue(k)}");
                ValueTables.Write(
                    terminal, await node.GetAsync(items, AnswersJson.Readable.TopItems, cancellationToken).ConfigureAwait(false), parsed.GetValue(json));
                return ExitCode.Done;
            }

            string path = FormattableString.Invariant(
                $"{NodeClient.Namespace(parsed.GetRequiredValue(@namespace))}/top?k={parsed.GetValue(k)}&confidence={parsed.GetValue(confidence)}");
            ValuesAnswer answer = await node.GetAsync(path, AnswersJson.Readable.ValuesAnswer, cancellationToken).ConfigureAwait(false);
            ValueTables.Write(terminal, answer.Values, parsed.GetValue(json));
            return ExitCode.Done;
        });
        return command.WithExamples("sketch top demo", "sketch top words -k 50 --json", "sketch top shop/pages");
    }
}
