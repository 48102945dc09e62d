using System.Diagnostics;
using System.Globalization;
using Sketch.Engine.Checkpoints;

namespace Sketch.Bench.Storage;

/// <summary>
/// What many counters take on disk after merges, and how long reads of one of them take: its total, and days of its hours. Some counters have increments in every
/// hour of these days, as the busiest have; the others in one.
/// </summary>
internal static class GrowthBench
{
    private const int Window = 1_000_000;
    private const double AllowedCounterBytes = 64;
    private const double AllowedHourBytes = 24.0 / 10;

    /// <summary>Stores so many counters and days of hours, and reports what they take and how long reads take.</summary>
    public static async Task RunAsync(int counters, int busy, int days, int reads, string? folder)
    {
        await using BenchStore bench = await BenchStore.StartAsync(folder);
        Random random = new(2);
        if (!bench.IsFilled)
            await FillAsync(bench, counters, busy, days, random);
        await ReportSizesAsync(bench, counters);
        await ReportReadsAsync(bench, counters, busy, days, reads, random);
        await ReportRestartAsync(bench);
    }

    private static async Task FillAsync(BenchStore bench, int counters, int busy, int days, Random random)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        for (int first = 0; first < counters; first += Window)
            await bench.Store.StoreAsync(bench.Window(first, Math.Min(Window, counters - first), now, withNames: true, random), default);

        // The oldest hour is within what a namespace keeps while the bench runs.
        for (int hour = (days * 24) - 2; hour > 0; hour--)
            await bench.Store.StoreAsync(bench.Window(0, busy, now - (hour * 3_600_000L), withNames: false, random), default);

        foreach (string table in new[] { "counter_rows", "total_rows", "hourly_rows", "daily_rows" })
            await bench.MergeAsync(table);
        await bench.MarkFilledAsync();
    }

    private static async Task ReportSizesAsync(BenchStore bench, int counters)
    {
        (_, long names) = await bench.SizeAsync("counter_rows");
        (_, long totals) = await bench.SizeAsync("total_rows");
        // On days before this one only the busy counters have hours.
        (long hours, long hourBytes) = await bench.SizeAsync("hourly_rows", "partition < toString(toYYYYMMDD(now('UTC')))");
        (long mixed, long mixedBytes) = await bench.SizeAsync("hourly_rows", "partition >= toString(toYYYYMMDD(now('UTC')))");
        (long days, long dayBytes) = await bench.SizeAsync("daily_rows");
        Line("counters", (double)names / counters, "");
        Line("totals", (double)totals / counters, "");
        Line("counters and totals together", (double)(names + totals) / counters, Against(AllowedCounterBytes));
        Line($"hours of counters with increments in each, a counter-hour ({hours:N0} rows)", (double)hourBytes / hours, Against(AllowedHourBytes));
        Line($"hours of a day on which most counters have one, a counter-hour ({mixed:N0} rows)", (double)mixedBytes / mixed, Against(AllowedHourBytes));
        Line($"days, a counter-day ({days:N0} rows)", (double)dayBytes / days, "");

        void Line(string what, double bytes, string against) =>
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{counters:N0} counters: {bytes,8:0.00} bytes  {what}{against}"));

        static string Against(double allowed) => string.Create(CultureInfo.InvariantCulture, $" (at most {allowed:0.0})");
    }

    private static async Task ReportReadsAsync(BenchStore bench, int counters, int busy, int days, int reads, Random random)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        await MeasureAsync("a total, from the store", async counter =>
            (await bench.Store.ReadTotalsAsync(BenchStore.Log, bench.Position, BenchStore.Namespace, [BenchStore.Id(counter)], default)).Count == 1, counters);
        await MeasureAsync("a total, in SQL", async counter =>
            (await bench.AskAsync($"SELECT value FROM totals WHERE namespace = '{BenchStore.Namespace}' AND name = '{BenchStore.Name(counter)}'")).Length > 0, counters);
        await MeasureAsync($"{days} days of hours, from the store", async counter =>
            (await bench.Store.ReadHistoryAsync(BenchStore.Namespace, BenchStore.Id(counter), now.AddDays(-days), now, 1, default)).Count > (days * 24) - 5, busy);
        await MeasureAsync($"{days} days of hours, in SQL", async counter =>
            (await bench.AskAsync($"SELECT hour, value FROM history_hourly WHERE namespace = '{BenchStore.Namespace}' AND name = '{BenchStore.Name(counter)}' ORDER BY hour")).Split('\n').Length > (days * 24) - 5, busy);

        async Task MeasureAsync(string what, Func<int, Task<bool>> read, int among)
        {
            double[] times = new double[reads];
            for (int i = 0; i < reads; i++)
            {
                long started = Stopwatch.GetTimestamp();
                if (!await read(random.Next(among)))
                    throw new InvalidOperationException($"{what}: the answer is not whole");
                times[i] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            }

            Array.Sort(times);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{counters:N0} counters: p50 {times[reads / 2],7:0.0} ms  p99 {times[reads * 99 / 100],7:0.0} ms  {what} ({reads} reads)"));
        }
    }

    private static async Task ReportRestartAsync(BenchStore bench)
    {
        long started = Stopwatch.GetTimestamp();
        await using Sketch.Storage.Store.ClickHouseStore again = await BenchStore.OpenAsync(bench.Process);
        await again.LastAsync(BenchStore.Log, default);
        long read = 0;
        await foreach (StoredNames names in again.ReadAllNamesAsync(default))
            read += names.Count;
        await foreach (StoredSums _ in again.ReadAllTotalsAsync(whole: false, default))
        {
        }

        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{read:N0} counters: {seconds:0.0} s for a node that starts again to read them all ({read / seconds:N0}/s); ClickHouse's memory {bench.MemoryMiB:N0} MiB"));
    }
}
