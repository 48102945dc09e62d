using System.Globalization;

namespace Sketch.Bench.Sketches.Peers;

/// <summary>Contenders of one task, measured in turns and repeated; the first is what the others are compared with.</summary>
internal sealed class Contest(string name, string unit)
{
    private readonly List<(string Name, Func<double> Measure, List<double> Results)> _contenders = [];

    public void Add(string contender, Func<double> measure) => _contenders.Add((contender, measure, []));

    public void Run(int rounds, TextWriter report)
    {
        foreach ((_, Func<double> measure, _) in _contenders)
            WarmUp(measure);
        for (int round = 0; round < rounds; round++)
        {
            foreach ((_, Func<double> measure, List<double> results) in _contenders)
                results.Add(measure());
        }

        double first = Median(_contenders[0].Results);
        report.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {unit} | against ours |"));
        report.WriteLine("|---|---|---|");
        foreach ((string contender, _, List<double> results) in _contenders)
        {
            results.Sort();
            report.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {contender} | {Median(results):0.00} ({results[0]:0.00} to {results[^1]:0.00}) | {Median(results) / first:0.00} x |"));
        }

        report.WriteLine();
        report.Flush();
    }

    // Touches memory, and gives the runtime time to compile what turned out to be hot.
    private static void WarmUp(Func<double> measure)
    {
        long since = Environment.TickCount64;
        for (int pass = 0; pass < 2 || (pass < 200 && Environment.TickCount64 - since < 400); pass++)
            measure();
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
