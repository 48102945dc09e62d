using System.Diagnostics;
using System.Text.Json;
using Sketch.Server;
using Sketch.Server.Commands.Bench;

namespace Sketch.Tests.Server;

/// <summary>The measurements measure what they say; how fast is not asked here.</summary>
public class BenchCommandTests
{
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, "sketch");

    [Fact]
    public async Task Bench_node_ends_with_every_increment_exact_in_clickhouse()
    {
        JsonElement report = await RunAsync("bench", "node", "--seconds", "1", "--counters", "2000", "--window", "1", "--json");
        Assert.True(report.GetProperty("increments").GetInt64() > 2_000);
        Assert.Equal(report.GetProperty("increments").GetInt64(), report.GetProperty("exactTotal").GetInt64());
        Assert.True(report.GetProperty("incrementsPerSecond").GetDouble() > 0);
        Assert.InRange(report.GetProperty("logBytesPerIncrement").GetDouble(), 8, 100);
        Assert.InRange(report.GetProperty("bytesPerCounter").GetDouble(), 16, 64);
    }

    [Fact]
    public async Task Bench_recovery_finds_every_counter_again()
    {
        JsonElement report = await RunAsync("bench", "recovery", "--counters", "2000", "--json");
        Assert.Equal(2_000, report.GetProperty("countersAfter").GetInt64());
        Assert.True(report.GetProperty("increments").GetInt64() > 0);
    }

    [Fact]
    public async Task A_flood_of_names_fills_a_quota_and_no_more_and_the_neighbour_stays_right()
    {
        JsonElement report = await RunAsync(sketchBytes: 1 << 20, "bench", "flood", "--names", "500000", "--json");
        Assert.Equal(100_000, report.GetProperty("countersHeld").GetInt64());
        Assert.Equal(400_000, report.GetProperty("refused").GetInt64());
        Assert.InRange(report.GetProperty("totalsBytes").GetInt64(), 0, 10 << 20);

        // Batches, names of the open window and what the runtime lets lie about: some 40 MiB, and six times as many names take 10 MiB more. Random names touch the
        // whole sketch of each window, which is why it is a small one here.
        Assert.InRange(report.GetProperty("peakBytesAfter").GetInt64() - report.GetProperty("peakBytesBefore").GetInt64(), 0, 100 << 20);
        Assert.True(report.GetProperty("neighbourSent").GetInt64() > 0);
    }

    [Fact]
    public async Task Bench_distinct_counts_what_it_sent()
    {
        JsonElement report = await RunAsync("bench", "distinct", "--counters", "300", "--elements", "20", "--json");
        Assert.InRange(report.GetProperty("elements").GetInt64(), 5_000, 6_300);
        Assert.InRange(report.GetProperty("errorPercent").GetDouble(), 0, 2);
        Assert.InRange(report.GetProperty("distinctBytes").GetInt64(), 300 * 64, 2 << 20);
    }

    [Fact]
    public void Ranks_are_drawn_as_zipf_says()
    {
        const int Ranks = 1_000, Draws = 400_000;
        ZipfSource source = new(Ranks, new Random(1));
        int[] seen = new int[Ranks + 1];
        for (int i = 0; i < Draws; i++)
        {
            seen[source.Next()]++;
        }

        double sum = Enumerable.Range(1, Ranks).Sum(r => 1.0 / r);
        foreach (int rank in (int[])[1, 2, 3, 10, 100, 1_000])
        {
            double expected = Draws / sum / rank;
            Assert.InRange(seen[rank], expected - (6 * Math.Sqrt(expected)), expected + (6 * Math.Sqrt(expected))); // fails by chance once in 10^8
        }
    }

    private static Task<JsonElement> RunAsync(params string[] arguments) => RunAsync(null, arguments);

    private static async Task<JsonElement> RunAsync(int? sketchBytes, params string[] arguments)
    {
        ProcessStartInfo start = new(Executable, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (sketchBytes is { } bytes)
        {
            start.Environment["SKETCH__SKETCHMEMORY"] = $"{bytes}";
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        Assert.True(process.ExitCode == ExitCode.Done, await error);
        return JsonDocument.Parse(await output).RootElement;
    }
}
