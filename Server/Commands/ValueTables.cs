using System.Globalization;
using System.Text.Json;
using Sketch.Engine.Reads;
using Sketch.Server.Rest;
using Spectre.Console;

namespace Sketch.Server.Commands;

/// <summary>Prints values: as a table for people, as columns for pipes, as JSON for machines.</summary>
internal static class ValueTables
{
    // Wide enough that no line of a pipe is ever wrapped.
    private const int PipeWidth = 10_000;

    /// <summary>A console on a writer.</summary>
    public static IAnsiConsole Console(TextWriter writer, bool isInteractive)
    {
        AnsiConsoleSettings settings = new() { Out = new AnsiConsoleOutput(writer) };
        if (!isInteractive)
            (settings.Ansi, settings.ColorSystem, settings.Interactive) = (AnsiSupport.No, ColorSystemSupport.NoColors, InteractionSupport.No);
        IAnsiConsole console = AnsiConsole.Create(settings);
        if (!isInteractive)
            console.Profile.Width = PipeWidth;
        return console;
    }

    /// <summary>Prints values.</summary>
    public static void Write(Terminal terminal, IReadOnlyList<CounterValue> values, bool json)
    {
        if (json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(new ValuesAnswer(values, Cursor: null), AnswersJson.Readable.ValuesAnswer));
            return;
        }

        Console(terminal.Output, terminal.IsInteractive).Write(Table(values, terminal.IsInteractive));
    }

    /// <summary>Prints the items of a counter.</summary>
    public static void Write(Terminal terminal, TopItems items, bool json)
    {
        if (json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(items, AnswersJson.Readable.TopItems));
            return;
        }

        Table table = New(terminal.IsInteractive, "Item");
        foreach (string heading in (ReadOnlySpan<string>)["Value", "Lower", "Upper", "Certain"])
            table.AddColumn(new TableColumn(Heading(heading, terminal.IsInteractive)).RightAligned().NoWrap());
        foreach (TopItemValue item in items.Items)
        {
            string value = Number(item.Value);
            table.AddRow(
                Markup.Escape(Printable(item.Item)), terminal.IsInteractive ? $"[bold]{value}[/]" : value, Number(item.Lower), Number(item.Upper), item.Certain ? "yes" : "no");
        }

        Console(terminal.Output, terminal.IsInteractive).Write(table);
    }

    /// <summary>Values with their bounds.</summary>
    public static Table Table(IEnumerable<CounterValue> values, bool isInteractive)
    {
        Table table = New(isInteractive, "Name").AddColumn(new TableColumn(Heading("Kind", isInteractive)).NoWrap());
        foreach (string heading in (ReadOnlySpan<string>)["Value", "Lower", "Upper", "Confidence", "Per second"])
            table.AddColumn(new TableColumn(Heading(heading, isInteractive)).RightAligned().NoWrap());
        table.AddColumn(new TableColumn(Heading("Exact as of", isInteractive)).NoWrap());
        foreach (CounterValue value in values)
        {
            table.AddRow(
                Markup.Escape(Printable(value.Name)),
                value.Kind,
                isInteractive ? $"[bold]{Number(value.Value)}[/]" : Number(value.Value),
                Number(value.Lower),
                Number(value.Upper),
                value.Exact ? "exact" : value.Confidence.ToString("0.####", CultureInfo.InvariantCulture),
                value.RatePerSecond.ToString(value.RatePerSecond < 10 ? "0.0" : "N0", CultureInfo.InvariantCulture),
                value.ExactAsOf.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        }

        return table;
    }

    /// <summary>An empty table with one column.</summary>
    public static Table New(bool isInteractive, string first) => new Table()
        .Border(isInteractive ? TableBorder.Rounded : TableBorder.None)
        .AddColumn(new TableColumn(Heading(first, isInteractive)));

    /// <summary>A number for people.</summary>
    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A name that can't steer the terminal.</summary>
    public static string Printable(string name) =>
        name.Any(char.IsControl) ? string.Concat(name.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : name;

    /// <summary>A column's heading.</summary>
    public static string Heading(string text, bool isInteractive) => isInteractive ? $"[grey]{Markup.Escape(text)}[/]" : Markup.Escape(text);
}
