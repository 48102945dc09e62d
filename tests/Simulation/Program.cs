using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Sketch.Tests.Simulation;
using Sketch.Tests.Simulation.World;

// The simulator: from a seed to a verdict. Run by the tests, and by hand to replay a seed:
//   dotnet run -c Release --project tests/Simulation -- --seed 17 [--bug ForgetsProducers] [--trace]
Dictionary<string, string> arguments = [];
for (int i = 0; i < args.Length; i++)
{
    arguments[args[i]] = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal) ? args[++i] : "";
}

if (!Pool.HasOneThread)
{
    using Process self = Process.Start(Simulator.StartInfo(args))!;
    await self.WaitForExitAsync();
    return self.ExitCode;
}

int first = int.Parse(arguments.GetValueOrDefault("--seed", "1"), CultureInfo.InvariantCulture);
int count = int.Parse(arguments.GetValueOrDefault("--count", "1"), CultureInfo.InvariantCulture);
Run run = new(arguments.GetValueOrDefault("--bug"), arguments.ContainsKey("--trace") ? Console.WriteLine : null);

// On the pool's one thread, so that the history takes turns with what it set going.
Verdict verdict = await Task.Run(() => run.HistoriesAsync(first, count));
Console.WriteLine(JsonSerializer.Serialize(verdict));
return verdict.Failure is null ? 0 : 1;
