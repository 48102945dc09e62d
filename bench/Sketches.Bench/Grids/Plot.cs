using System.Globalization;
using System.Text;

namespace Sketch.Bench.Sketches.Grids;

/// <summary>A small line chart as SVG: x on a logarithmic scale, one colour a series.</summary>
internal static class Plot
{
    private static readonly string[] Colours = ["#2563eb", "#dc2626", "#16a34a", "#9333ea", "#ea580c"];

    public static void Save(
        string path, string title, string xTitle, string yTitle, double yLow, double yHigh, IReadOnlyDictionary<string, (double X, double Y)[]> series)
    {
        const int Width = 760, Height = 360, Left = 60, Right = 20, Top = 40, Bottom = 50;
        double xLow = series.Values.SelectMany(p => p).Min(p => Math.Log10(p.X)), xHigh = series.Values.SelectMany(p => p).Max(p => Math.Log10(p.X));
        string X(double x) => N(Left + (Math.Log10(x) - xLow) / (xHigh - xLow) * (Width - Left - Right));
        string Y(double y) => N(Height - Bottom - (Math.Clamp(y, yLow, yHigh) - yLow) / (yHigh - yLow) * (Height - Top - Bottom));

        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#fff\"/><text x=\"{Left}\" y=\"20\" font-size=\"14\">{title}</text>\n");
        for (int i = 0; i <= 4; i++)
        {
            double y = yLow + (yHigh - yLow) * i / 4;
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left} {Y(y)}H{Width - Right}\" stroke=\"#ddd\"/><text x=\"{Left - 8}\" y=\"{Y(y)}\" text-anchor=\"end\">{N(y)}</text>\n");
        }

        for (int decade = (int)Math.Ceiling(xLow); decade <= xHigh; decade++)
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(Math.Pow(10, decade))}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">10^{decade}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width / 2}\" y=\"{Height - 10}\" text-anchor=\"middle\">{xTitle}</text><text x=\"14\" y=\"{Height / 2}\" transform=\"rotate(-90 14 {Height / 2})\" text-anchor=\"middle\">{yTitle}</text>\n");
        int number = 0;
        foreach ((string name, (double X, double Y)[] points) in series)
        {
            string colour = Colours[number % Colours.Length];
            string line = string.Join(" L", points.Select(p => $"{X(p.X)} {Y(p.Y)}"));
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{Width - Right - 150}\" y=\"{Top + 16 * number}\" fill=\"{colour}\">{name}</text>\n");
            number++;
        }

        File.WriteAllText(path, svg.Append("</svg>\n").ToString());
    }

    private static string N(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
