using System.CommandLine;
using Sketch.Engine.Reads;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands;

/// <summary><c>sketch get NAMESPACE/NAME...</c>: values with their bounds.</summary>
internal static class GetCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string[]> counters = new("NAMESPACE/NAME")
        {
            Description = "Counters; the name is all after the first '/'.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<Uri> url = CommonOptions.Url();
        Option<double> confidence = CommonOptions.Confidence();
        Option<bool> json = CommonOptions.Json();
        Command command = new("get", "Print counters: value, bounds, and since when they are exact.") { counters, url, confidence, json };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            terminal, parsed.GetRequiredValue(counters), parsed.GetRequiredValue(url), parsed.GetValue(confidence), parsed.GetValue(json), cancellationToken));
        return command.WithExamples("sketch get words/the words/and", "sketch get \"demo/page:/\" --confidence 0.999", "sketch get demo/orders --json");
    }

    private static async Task<int> RunAsync(
        Terminal terminal, string[] counters, Uri url, double confidence, bool json, CancellationToken cancellationToken)
    {
        List<(string Namespace, string Name)> wanted = [.. counters.Select(Split)];
        using NodeClient node = new(url);
        Dictionary<(string, string), CounterValue> found = [];
        foreach (IGrouping<string, (string Namespace, string Name)> group in wanted.GroupBy(w => w.Namespace))
        {
            foreach (string[] names in group.Select(w => w.Name).Distinct().Chunk(QueryParameters.MaxValues))
            {
                ValuesAnswer answer = await node.SendAsync(
                    HttpMethod.Post,
                    FormattableString.Invariant($"{NodeClient.Namespace(group.Key)}/values?confidence={confidence}"),
                    new NamesBody(names),
                    BodiesJson.Default.NamesBody,
                    AnswersJson.Readable.ValuesAnswer,
                    cancellationToken).ConfigureAwait(false);
                foreach (CounterValue value in answer.Values)
                    found[(value.Namespace, value.Name)] = value;
            }
        }

        ValueTables.Write(terminal, [.. wanted.Where(found.ContainsKey).Select(w => found[w])], json);
        List<string> missing = [.. wanted.Where(w => !found.ContainsKey(w)).Select(w => $"{w.Namespace}/{w.Name}")];
        return missing.Count == 0
            ? ExitCode.Done
            : throw new CommandException($"no such counter: {string.Join(", ", missing.Select(ValueTables.Printable))}");
    }

    private static (string Namespace, string Name) Split(string counter)
    {
        int slash = counter.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < counter.Length - 1
            ? (counter[..slash], counter[(slash + 1)..])
            : throw new CommandException($"NAMESPACE/NAME is {counter}; allowed: a namespace, '/', and a counter's name, such as words/the", ExitCode.Usage);
    }
}
