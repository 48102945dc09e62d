using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace Sketch.Tests.Simulation;

/// <summary>Starts the simulator in a process of its own, whose thread pool has one thread.</summary>
internal static class Simulator
{
    public static ProcessStartInfo StartInfo(IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new("dotnet", [Assembly.GetExecutingAssembly().Location, .. arguments]);
        start.Environment["DOTNET_ThreadPool_ForceMaxWorkerThreads"] = "1";
        start.Environment["DOTNET_ThreadPool_ForceMinWorkerThreads"] = "1";
        start.Environment["DOTNET_gcServer"] = "0";

        // What a history leaves behind must not add up.
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x40000000";
        return start;
    }

    /// <summary>Runs histories and returns the verdict.</summary>
    public static async Task<Verdict> RunAsync(int first, int count, string? bug, TimeSpan deadline)
    {
        ProcessStartInfo start = StartInfo(["--seed", $"{first}", "--count", $"{count}", .. bug is null ? Array.Empty<string>() : ["--bug", bug]]);
        start.RedirectStandardOutput = true;
        using Process process = Process.Start(start)!;
        using CancellationTokenSource late = new(deadline);
        try
        {
            string output = await process.StandardOutput.ReadToEndAsync(late.Token);
            await process.WaitForExitAsync(late.Token);
            return JsonSerializer.Deserialize<Verdict>(output.Trim().Split('\n')[^1])!;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
