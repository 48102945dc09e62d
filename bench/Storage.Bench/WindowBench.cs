using System.Diagnostics;
using System.Globalization;
using Sketch.Engine.Checkpoints;

namespace Sketch.Bench.Storage;

/// <summary>
/// Windows of many distinct counters, one after the other, through the real store into all of its tables. A window's lag is how long it takes to be exact in SQL once
/// it is closed: while it is below the window's length, ClickHouse keeps up.
/// </summary>
internal static class WindowBench
{
    public static async Task RunAsync(int counters, int windows)
    {
        await using BenchStore bench = await BenchStore.StartAsync();
        Random random = new(1);
        List<double> seconds = [];
        List<(string Table, TimeSpan Took)> tables = [];
        for (int i = 0; i <= windows; i++)
        {
            Checkpoint window = bench.Window(0, counters, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), withNames: i == 0, random);
            long started = Stopwatch.GetTimestamp();
            IReadOnlyList<(string Table, TimeSpan Took)> byTable = await bench.StoreAsync(window);
            double took = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (i > 0)
            {
                seconds.Add(took);
                tables.AddRange(byTable);
            }
            else
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"window of {counters:N0} counters, all new    {took,8:0.00} s lag  {counters / took,12:N0} counters/s"));
        }

        seconds.Sort();
        double median = seconds[seconds.Count / 2];
        // Each counter is a row of deltas, hours, days and totals.
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"window of {counters:N0} counters, known      {median,8:0.00} s lag  {counters / median,12:N0} counters/s, {4 * counters / median:N0} rows/s (median of {windows}; {seconds[0]:0.00} to {seconds[^1]:0.00} s)"));
        foreach (IGrouping<string, TimeSpan> table in tables.GroupBy(t => t.Table, t => t.Took).OrderByDescending(g => g.Sum(t => t.Ticks)))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  of it into {table.Key,-28} {table.Sum(t => t.TotalSeconds) / seconds.Sum(),8:0 %}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ClickHouse's memory after them          {bench.MemoryMiB:N0} MiB"));
    }
}
