using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace Sketch.Server.Commands;

/// <summary><c>sketch sql "SELECT ..."</c>: asks ClickHouse through the node's SQL port.</summary>
internal static class SqlCommand
{
    private const string TableFormat = "JSONCompact";

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Argument<string> query = new("QUERY") { Description = "One SELECT; - reads it from the standard input." };
        Option<Uri> url = CommonOptions.Url("http://127.0.0.1:8123");
        Option<bool> json = CommonOptions.Json();
        Option<string?> format = new("--format") { Description = "Print the answer as it is in one of ClickHouse's formats, such as CSVWithNames or TabSeparated.", HelpName = "FORMAT" };
        Command command = new("sql", "Ask ClickHouse through the SQL port, read-only: tables counters, totals, deltas, history_hourly, checkpoints of the database sketch.")
        {
            query, url, json, format,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(json) && result.GetValue(format) is not null)
                result.AddError("--json and --format are both given; allowed: one of them");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            string? raw = parsed.GetValue(json) ? "JSON" : parsed.GetValue(format);
            return RunAsync(terminal, parsed.GetRequiredValue(query), parsed.GetRequiredValue(url), raw, cancellationToken);
        });
        return command.WithExamples(
            "sketch sql \"SELECT name, value FROM totals ORDER BY value DESC LIMIT 10\"",
            "sketch sql \"SELECT count() FROM counters WHERE namespace = 'words'\" --format TabSeparated");
    }

    private static async Task<int> RunAsync(Terminal terminal, string query, Uri url, string? rawFormat, CancellationToken cancellationToken)
    {
        if (query == "-")
        {
            using StreamReader input = new(terminal.Input(), Encoding.UTF8);
            query = await input.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        }

        using NodeClient node = new(url);
        using HttpRequestMessage request = new(HttpMethod.Post, $"?database=sketch&default_format={Uri.EscapeDataString(rawFormat ?? TableFormat)}")
        {
            Content = new StringContent(query, Encoding.UTF8, new MediaTypeHeaderValue("text/plain")),
        };
        string answer;
        try
        {
            using HttpResponseMessage response = await node.SendRawAsync(request, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw new CommandException(await NodeClient.SentenceAsync(response, cancellationToken).ConfigureAwait(false));
            answer = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException failure)
        {
            throw new CommandException(node.Unreachable(failure));
        }

        if (rawFormat is not null || !TryTable(terminal, answer))
            await terminal.Output.WriteAsync(answer).ConfigureAwait(false);
        return ExitCode.Done;
    }

    // A query that names its own FORMAT answers in that, and is printed as it is.
    private static bool TryTable(Terminal terminal, string answer)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(answer);
        }
        catch (JsonException)
        {
            return false;
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("meta", out JsonElement meta)
                || !document.RootElement.TryGetProperty("data", out JsonElement data))
                return false;

            Table table = new Table().Border(terminal.IsInteractive ? TableBorder.Rounded : TableBorder.None);
            foreach (JsonElement column in meta.EnumerateArray())
            {
                TableColumn heading = new(ValueTables.Heading(column.GetProperty("name").GetString() ?? "", terminal.IsInteractive));
                string type = column.GetProperty("type").GetString() ?? "";
                if (type.Contains("Int", StringComparison.Ordinal) || type.Contains("Float", StringComparison.Ordinal))
                    heading.RightAligned();
                table.AddColumn(heading);
            }

            foreach (JsonElement row in data.EnumerateArray())
                table.AddRow([.. row.EnumerateArray().Select(cell => Markup.Escape(ValueTables.Printable(Text(cell))))]);
            ValueTables.Console(terminal.Output, terminal.IsInteractive).Write(table);
            if (terminal.IsInteractive)
                terminal.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{data.GetArrayLength()} rows"));
        }

        return true;
    }

    private static string Text(JsonElement cell) => cell.ValueKind == JsonValueKind.String ? cell.GetString() ?? "" : cell.GetRawText();
}
