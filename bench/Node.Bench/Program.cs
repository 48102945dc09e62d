using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Sketch.Bench.Node;
using Sketch.Engine.Increments;
using Sketch.Server.Commands.Bench;

// The node beside what a user would take instead, on the same increments, one after the other and twice, so that a slow moment shows:
//   dotnet run -c Release --project bench/Node.Bench -- [--counters N] [--spread zipf|uniform] [--seconds S] [--garnet PATH]
// redis-server is Debian's; garnet-server comes from `dotnet tool install garnet-server --tool-path DIR`.
if (args is [ClickHousePeer.ChildCommand, .. string[] rest])
{
    return await Sketch.Storage.Embedded.EmbeddedClickHouse.MainAsync(rest);
}

// What an increment costs as distinct ids grow: -- growth [--counters 100000000]
if (args is ["growth", ..])
{
    return GrowthBench.Run(int.Parse(Option("--counters", "100000000"), CultureInfo.InvariantCulture));
}

int counters = int.Parse(Option("--counters", "1000000"), CultureInfo.InvariantCulture);
bool isZipf = Option("--spread", "zipf") == "zipf";
int seconds = int.Parse(Option("--seconds", "15"), CultureInfo.InvariantCulture);
string garnet = Option("--garnet", "");
Console.WriteLine($"{counters:N0} counters, {(isZipf ? "Zipf" : "uniform")}, {seconds} s each, two rounds; all on the same {Environment.ProcessorCount} cores");
BenchStream stream = new("bench", counters, isZipf, seed: 1);
Dictionary<string, List<double>> inProcess = [];
Dictionary<string, List<double>> services = [];
for (int round = 0; round < 2; round++)
{
    Measure(inProcess, "ConcurrentDictionary.AddOrUpdate, one thread", InProcess.Dictionary(stream, threads: 1, seconds));
    Measure(inProcess, "a window's count-min sketch and its exact sums, one thread", InProcess.Tables(stream, seconds));
    Measure(services, "ConcurrentDictionary.AddOrUpdate, 2 threads, in the process, nothing kept", InProcess.Dictionary(stream, threads: 2, seconds));
    Measure(services, "Redis, INCRBY in pipelines of 1,000, AOF everysec", await RespPeer.RedisAsync(stream, seconds));
    if (garnet.Length > 0)
    {
        Measure(services, "Garnet, INCRBY in pipelines of 1,000, AOF", await RespPeer.GarnetAsync(garnet, stream, seconds));
    }

    Measure(services, "ClickHouse (embedded), every increment a row into a SummingMergeTree", await ClickHousePeer.RunAsync(stream, seconds));
    Measure(services, "Sketch, batches of 1,000, acknowledged after the fsync, exact in ClickHouse", await SketchAsync(seconds));
    if (counters <= NumberedNames.Most)
    {
        Measure(services, "the same, counters as numbers of names and each delta 1", await SketchAsync(seconds, "--compact", "--delta-bytes", "0"));
    }
}

Print(inProcess, ours: 1);
Print(services, ours: counters <= NumberedNames.Most ? 2 : 1);
return 0;

static void Measure(Dictionary<string, List<double>> figures, string contender, double perSecond)
{
    if (!figures.TryGetValue(contender, out List<double>? rounds))
    {
        figures.Add(contender, rounds = []);
    }

    rounds.Add(perSecond);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{perSecond / 1e6,8:0.00} M/s  {contender}"));
}

// The last ones are ours; beside each contender stands how many times as fast those are.
static void Print(Dictionary<string, List<double>> figures, int ours)
{
    double[] perSecond = [.. figures.Values.TakeLast(ours).Select(Median)];
    Console.WriteLine();
    foreach ((string contender, List<double> rounds) in figures)
    {
        string times = string.Concat(perSecond.Select(our => string.Create(CultureInfo.InvariantCulture, $"  x {our / Median(rounds),6:0.0}")));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{Median(rounds) / 1e6,8:0.00} M/s{times}  {contender} ({string.Join(", ", rounds.Select(r => (r / 1e6).ToString("0.00", CultureInfo.InvariantCulture)))})"));
    }
}

async Task<double> SketchAsync(int duration, params string[] more)
{
    string executable = Path.Combine(AppContext.BaseDirectory, "sketch");
    using Process bench = Process.Start(new ProcessStartInfo(
        executable,
        [
            "bench", "node", "--json", "--seconds", duration.ToString(CultureInfo.InvariantCulture), "--counters",
            counters.ToString(CultureInfo.InvariantCulture), "--spread", isZipf ? "zipf" : "uniform", .. more,
        ])
    { RedirectStandardOutput = true, RedirectStandardError = true })!;
    bench.ErrorDataReceived += (_, _) => { };
    bench.BeginErrorReadLine();
    string json = await bench.StandardOutput.ReadToEndAsync();
    await bench.WaitForExitAsync();
    return JsonDocument.Parse(json).RootElement.GetProperty("incrementsPerSecond").GetDouble();
}

string Option(string name, string otherwise) => Array.IndexOf(args, name) is var at and >= 0 ? args[at + 1] : otherwise;

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
