using System.Globalization;

namespace Sketch.Tests.Integration;

/// <summary>
/// Real words, and how often each occurs: the XML documentation that comes with every .NET SDK, counted by tr, sort and uniq, which share no code with us.
/// </summary>
internal sealed class Corpus
{
    private static readonly Lazy<Task<Corpus>> Loaded = new(Load);

    private Corpus(string[] files, IReadOnlyDictionary<string, long> truth)
    {
        Files = files;
        Truth = truth;
        Words = truth.Values.Sum();
    }

    public string[] Files { get; }

    public IReadOnlyDictionary<string, long> Truth { get; }

    public long Words { get; }

    public static Task<Corpus> Get() => Loaded.Value;

    private static async Task<Corpus> Load()
    {
        // .../dotnet/shared/Microsoft.NETCore.App/10.0.0/System.Private.CoreLib.dll
        string dotnet = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));
        string[] files = [.. Directory.GetFiles(Path.Combine(dotnet, "packs"), "*.xml", SearchOption.AllDirectories)
            .Where(f => f.Contains("/ref/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(files);

        string list = Path.GetTempFileName();
        await File.WriteAllLinesAsync(list, files);
        string counted = await Command.Bash(
            $@"export LC_ALL=C; xargs -d '\n' cat <{list} | tr -cs 'A-Za-z0-9\200-\377' '\n' | grep . | sort -S 1G --parallel=2 | uniq -c");
        File.Delete(list);
        Dictionary<string, long> truth = new(StringComparer.Ordinal);
        foreach (string line in counted.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.TrimStart().Split(' ', 2);
            truth.Add(parts[1], long.Parse(parts[0], CultureInfo.InvariantCulture));
        }

        return new Corpus(files, truth);
    }
}
