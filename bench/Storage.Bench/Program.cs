using Sketch.Bench.Storage;
using Sketch.Storage.Embedded;

// The store over the embedded ClickHouse: dotnet run -c Release --project bench/Storage.Bench -- [--small] [--store DIR] [windows | growth]
// With --store, what growth fills stays in DIR, and the next run measures it again without filling it.
if (args is ["clickhouse", .. string[] rest])
{
    return await EmbeddedClickHouse.MainAsync(rest);
}

bool small = args.Contains("--small");
int named = Array.IndexOf(args, "--store");
string? store = named >= 0 && named + 1 < args.Length ? args[named + 1] : null;
string[] parts = [.. args.Where((a, at) => a != "--small" && (named < 0 || (at != named && at != named + 1)))];
if (named >= 0 && store is null)
{
    Console.Error.WriteLine("--store is without a value; allowed: a folder");
    return 2;
}

if (parts.Any(p => p is not ("windows" or "growth")))
{
    Console.Error.WriteLine($"argument is {parts.First(p => p is not ("windows" or "growth"))}; allowed: --small, --store DIR, windows, growth");
    return 2;
}

if (parts.Length == 0 || parts.Contains("windows"))
{
    foreach (int counters in small ? [10_000, 50_000] : new[] { 1_000_000, 5_000_000 })
    {
        await WindowBench.RunAsync(counters, windows: small ? 3 : 7);
    }
}

if (parts.Length == 0 || parts.Contains("growth"))
{
    foreach (int counters in small ? [10_000, 100_000] : new[] { 1_000_000, 10_000_000 })
    {
        await GrowthBench.RunAsync(counters, busy: small ? 100 : 20_000, days: small ? 2 : 30, reads: small ? 100 : 2_000, store is null ? null : Path.Combine(store, $"{counters}"));
    }
}

return 0;
