using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MessagePack;
using Sketch.Bench.Realtime;
using Sketch.Server.Commands.Bench;

// The hub beside a plain SignalR hub that sends each update to each client that watches the counter, on the same machine, one after the other:
//   dotnet run -c Release --project bench/Realtime.Bench -- [--connections N] [--interval MS] [--seconds S]
const int Counters = 2_000;
const int Each = 20;
if (args is [PlainHub.ChildCommand, var every])
{
    return await PlainHub.ServeAsync(Counters, int.Parse(every, CultureInfo.InvariantCulture));
}

int connections = int.Parse(Option("--connections", "1000"), CultureInfo.InvariantCulture);
int interval = int.Parse(Option("--interval", "100"), CultureInfo.InvariantCulture);
int seconds = int.Parse(Option("--seconds", "10"), CultureInfo.InvariantCulture);
Console.WriteLine($"{connections:N0} clients of {Each} counters out of {Counters:N0}, every counter changes each {interval} ms, {seconds} s each; {Environment.ProcessorCount} cores for servers and clients");

(double plain, double plainCores) = await PlainAsync();
Say("plain hub, a message an update and client", plain, plainCores);
(double ours, double oursCores) = await SketchAsync();
Say("Sketch, frames, beside 1 M increments/s", ours, oursCores);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"x {ours / plain:0.0} in values/s, x {ours / oursCores / (plain / plainCores):0.0} in values a core-second"));
return 0;

void Say(string what, double perSecond, double cores) => Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture, $"{perSecond,12:N0} values/s  {cores:0.00} cores  {perSecond / cores,12:N0} values a core-second  {what}"));

async Task<(double PerSecond, double Cores)> PlainAsync()
{
    using Process server = Process.Start(new ProcessStartInfo(
        Environment.ProcessPath!, [PlainHub.ChildCommand, interval.ToString(CultureInfo.InvariantCulture)])
    { RedirectStandardOutput = true })!;
    try
    {
        Uri url = new((await server.StandardOutput.ReadLineAsync())!);
        using CancellationTokenSource done = new();
        long values = 0;
        List<DashboardConnection> all = [];
        for (int i = 0; i < connections; i++)
        {
            DashboardConnection connection = await DashboardConnection.OpenAsync(url, PlainHub.Path, null, default);
            all.Add(connection);
            Random random = new(i);
            string[] names = [.. Enumerable.Range(0, Each).Select(_ => BenchStream.Name(random.Next(Counters))).Distinct()];
            connection.Call("Join", MessagePackSerializer.Serialize(names));
            _ = connection.DrainAsync((_, _) => Interlocked.Increment(ref values), done.Token);
        }

        await Task.Delay(3_000);
        (long before, double used, long started) = (Interlocked.Read(ref values), ProcessUse.Of(server.Id).Seconds, Stopwatch.GetTimestamp());
        await Task.Delay(seconds * 1_000);
        double elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        (double, double) figures = ((Interlocked.Read(ref values) - before) / elapsed, (ProcessUse.Of(server.Id).Seconds - used) / elapsed);
        await done.CancelAsync();
        all.ForEach(connection => connection.Dispose());
        return figures;
    }
    finally
    {
        server.Kill();
        await server.WaitForExitAsync();
    }
}

async Task<(double PerSecond, double Cores)> SketchAsync()
{
    string[] command =
    [
        "bench", "live", "--json", "--stalled", "0", "--loopers", "0", "--connections", $"{connections}", "--interval", $"{interval}", "--seconds", $"{seconds}",
    ];
    using Process bench = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "sketch"), command) { RedirectStandardOutput = true })!;
    string json = await bench.StandardOutput.ReadToEndAsync();
    await bench.WaitForExitAsync();
    JsonElement alone = JsonElement.Parse(json).GetProperty("alone");
    return (alone.GetProperty("framesPerSecond").GetDouble() * alone.GetProperty("valuesPerFrame").GetDouble(), alone.GetProperty("nodeCores").GetDouble());
}

string Option(string name, string otherwise) => Array.IndexOf(args, name) is var at and >= 0 ? args[at + 1] : otherwise;
