using System.Globalization;

namespace Sketch.Bench.Sketches.Grids;

/// <summary>A table that is printed as it grows and saved as CSV.</summary>
internal sealed class Table(string folder, string name, params string[] columns)
{
    private readonly List<string> _lines = [string.Join(',', columns)];

    public void Add(params object[] cells)
    {
        string line = string.Join(',', cells.Select(Text));
        _lines.Add(line);
        Console.WriteLine($"{name}: {line}");
    }

    public void Save() => File.WriteAllLines(Path.Combine(folder, name + ".csv"), _lines);

    private static string Text(object cell) => cell switch
    {
        double number => number.ToString("0.####", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => cell.ToString() ?? "",
    };
}
