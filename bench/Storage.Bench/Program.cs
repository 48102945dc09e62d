using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Storage.Embedded;
using Sketch.Storage.Store;
using Sketch.Storage.Supervision;

// Checkpoints of a million counters into the embedded ClickHouse: `dotnet run -c Release --project bench/Storage.Bench [counters] [windows]`.
if (args is ["clickhouse", .. string[] rest])
{
    return await EmbeddedClickHouse.MainAsync(rest);
}

int counters = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
int windows = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5;
string folder = Directory.CreateTempSubdirectory("sketch-bench-").FullName;
try
{
    ClickHouseProcessOptions options = new()
    {
        Command = [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", typeof(Program).Assembly.Location, "clickhouse"],
        ClickHouse = new EmbeddedClickHouseOptions { DataFolder = folder },
    };
    Stopwatch watch = Stopwatch.StartNew();
    await using ClickHouseProcess process = await ClickHouseProcess.StartAsync(
        options, NullLogger<ClickHouseProcess>.Instance, TimeProvider.System, default);
    Report("start until it answers", watch, 0);
    Console.WriteLine($"  memory {Memory(process):N0} MB");

    watch.Restart();
    await using ClickHouseStore store = await ClickHouseStore.OpenAsync(ClickHouseStoreOptions.For(process), NullLogger<ClickHouseStore>.Instance, default);
    Report("tables made", watch, 0);

    LogIdentity log = new(1, 0);
    Random random = new(1);
    string[] names = [.. Enumerable.Range(0, counters).Select(i => $"counter-{i}")];
    DeltaRow[] rows = [.. names.Select(n => new DeltaRow("bench", CounterId.Of("bench", n), random.Next(1, 1000))).OrderBy(r => r.Id)];
    NamedCounter[] named =
    [
        .. names.Order(StringComparer.Ordinal)
            .Select(n => new NamedCounter("bench", n, CounterId.Of("bench", n), "sum", "approximate", new Dictionary<string, string>())),
    ];
    long time = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
    for (int i = 1; i <= windows; i++)
    {
        Checkpoint window = new()
        {
            Log = log,
            From = i,
            To = i,
            FirstTimeMs = time,
            LastTimeMs = time,
            Increments = counters,
            Deltas = [.. rows],
            Names = i == 1 ? named : [],
        };
        watch.Restart();
        await store.StoreAsync(window, default);
        Report(i == 1 ? "window with names" : "window", watch, counters);
    }

    Console.WriteLine($"  memory {Memory(process):N0} MB");
    for (int i = 0; i < 2; i++)
    {
        watch.Restart();
        await using ClickHouseStore restarted = await ClickHouseStore.OpenAsync(
            ClickHouseStoreOptions.For(process), NullLogger<ClickHouseStore>.Instance, default);
        await restarted.LastAsync(log, default);
        long read = 0;
        await foreach (IReadOnlyList<StoredCounter> batch in restarted.ReadCountersAsync(default))
        {
            read += batch.Count;
        }

        Report("all counters read", watch, read);
    }

    using HttpClient http = new() { BaseAddress = process.Address };
    string[] questions =
    [
        "SELECT 1",
        "SELECT name, value FROM totals WHERE namespace = 'bench' ORDER BY value DESC LIMIT 10",
        "SELECT value FROM totals WHERE namespace = 'bench' AND name = 'counter-77'",
        "SELECT hour, value FROM history_hourly WHERE namespace = 'bench' AND name = 'counter-77'",
        "SELECT sum(value) FROM totals",
    ];
    foreach (string question in questions)
    {
        double best = double.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            watch.Restart();
            using HttpResponseMessage answer = await http.PostAsync(new Uri("/", UriKind.Relative), new StringContent(question));
            _ = await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
            best = Math.Min(best, watch.Elapsed.TotalMilliseconds);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{best,10:0.0} ms  {question}"));
    }

    watch.Restart();
    await process.DisposeAsync();
    Report("stopped", watch, 0);
}
finally
{
    Directory.Delete(folder, recursive: true);
}

return 0;

static void Report(string what, Stopwatch watch, long rows) => Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{watch.Elapsed.TotalMilliseconds,10:0} ms  {what}{(rows > 0 ? $", {rows / watch.Elapsed.TotalSeconds:N0} rows/s" : "")}"));

static long Memory(ClickHouseProcess process)
{
    using Process child = Process.GetProcessById(process.ProcessId);
    return child.WorkingSet64 >> 20;
}
