using System.Diagnostics;
using System.Reflection;
using Sketch.Tests.Simulation.Bugs;
using Sketch.Tests.Simulation.World;

namespace Sketch.Tests.Simulation;

/// <summary>What came of a run of histories.</summary>
/// <param name="Histories">How many ran.</param>
/// <param name="Failure">What the first that failed broke, and how to see it again.</param>
/// <param name="FailedSeed">Its seed; zero for none.</param>
/// <param name="Estimates">Reads of estimates.</param>
/// <param name="Outside">Those with the truth outside of the bounds.</param>
/// <param name="Fingerprint">The same for the same seeds.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Coverage">How often each fault met each state.</param>
internal sealed record Verdict(
    int Histories, string? Failure, int FailedSeed, long Estimates, long Outside, ulong Fingerprint, double Seconds, SortedDictionary<string, long> Coverage)
{
    /// <summary>What a bound's confidence lets happen, with room for chance and for reads of one sketch not being independent.</summary>
    public static bool IsTooOften(long estimates, long outside) => outside > 30 + (0.02 * estimates);
}

/// <summary>Runs histories one after the other.</summary>
internal sealed class Run(string? bugName, Action<string>? trace)
{
    private static readonly TimeSpan LongestHistory = TimeSpan.FromSeconds(60);

    /// <summary>The names of all bugs.</summary>
    public static IEnumerable<string> Bugs => Assembly.GetExecutingAssembly().GetTypes()
        .Where(type => type.IsSubclassOf(typeof(Bug)) && !type.IsAbstract).Select(type => type.Name).Order(StringComparer.Ordinal);

    public async Task<Verdict> HistoriesAsync(int first, int count)
    {
        long started = Stopwatch.GetTimestamp();
        Coverage coverage = new();
        long estimates = 0;
        long outside = 0;
        ulong fingerprint = 0;
        string? failure = null;
        int seed = first;
        for (; seed < first + count && failure is null; seed++)
        {
            History history = new(seed, MakeBug(), coverage, trace);
            try
            {
                await history.RunAsync();
            }
#pragma warning disable CA1031 // Whatever ends a history before its time is what the run is for.
            catch (Exception error)
#pragma warning restore CA1031
            {
                failure = $"seed {seed}: {error}";
            }

            await history.EndAsync();
            estimates += history.Estimates.Reads;
            outside += history.Estimates.Outside;
            fingerprint = (fingerprint * 31) + history.Fingerprint;
            if (failure is null && Verdict.IsTooOften(estimates, outside))
            {
                failure = $"up to seed {seed}: the truth lay outside of the bounds in {outside} of {estimates} reads";
            }
        }

        if (failure is not null)
        {
            failure += $"\nSee it again: dotnet run -c Release --project tests/Simulation -- --seed {seed - 1} --trace{(bugName is null ? "" : " --bug " + bugName)}";
        }

        SortedDictionary<string, long> hits = new(coverage.All.ToDictionary(h => $"{h.What.Fault}|{h.What.State}", h => h.Hits), StringComparer.Ordinal);
        return new Verdict(
            seed - first, failure, failure is null ? 0 : seed - 1, estimates, outside, fingerprint, Stopwatch.GetElapsedTime(started).TotalSeconds, hits);
    }

    private Bug MakeBug() => bugName is null ? new Bug() : (Bug)Activator.CreateInstance(
        Assembly.GetExecutingAssembly().GetType($"{typeof(Bug).Namespace}.{bugName}") ?? throw new ArgumentException($"There is no bug {bugName}."))!;
}
