using System.Globalization;
using Sketch.Tests.Simulation.World;
using Xunit.Abstractions;

namespace Sketch.Tests.Simulation;

/// <summary>
/// The real log, fold, deduplication and checkpointer over a simulated disk, clock and ClickHouse, in one thread and from a seed. A failure names the seed and
/// the command that shows the same history again.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(8);

    /// <summary>Where a fault must have come: whatever the node is at, it may be killed.</summary>
    private static readonly string[] States = ["opening", "idle", "appending", "storing", "snapshot"];

    private static readonly Fault[] Everywhere = [Fault.KilledInDiskCall, Fault.PowerLostInDiskCall];

    public static TheoryData<string> Bugs => [.. Run.Bugs];

    [Fact]
    public async Task Ten_thousand_histories_break_no_promise()
    {
        int first = FromEnvironment("SKETCH_SIMULATION_SEED", 1);
        int count = FromEnvironment("SKETCH_SIMULATION_HISTORIES", 10_000);
        int half = count / 2;
        Verdict[] verdicts = await Task.WhenAll(
            Simulator.RunAsync(first, half, bug: null, Deadline), Simulator.RunAsync(first + half, count - half, bug: null, Deadline));

        foreach (Verdict verdict in verdicts)
        {
            Assert.True(verdict.Failure is null, verdict.Failure);
        }

        Dictionary<string, long> hits = verdicts.SelectMany(v => v.Coverage).GroupBy(h => h.Key).ToDictionary(g => g.Key, g => g.Sum(h => h.Value));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{verdicts.Sum(v => v.Histories)} histories in {verdicts.Max(v => v.Seconds):F0} s, {hits.Values.Sum()} faults, {verdicts.Sum(v => v.Outside)} of {verdicts.Sum(v => v.Estimates)} estimates outside of bounds at 99 %"));
        foreach ((string what, long times) in hits.OrderBy(h => h.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"{times,8} {what}");
        }

        Assert.Equal(count, verdicts.Sum(v => v.Histories));
        Assert.All(Enum.GetValues<Fault>(), fault => Assert.True(Hits(hits, $"{fault}|") > 0, $"{fault} was never generated"));
        Assert.All(
            from fault in Everywhere from state in States select $"{fault}|{state}",
            what => Assert.True(Hits(hits, what) > 0, $"{what} was never generated"));
    }

    [Theory]
    [MemberData(nameof(Bugs))]
    public async Task A_seeded_bug_is_caught_within_a_thousand_seeds(string bug)
    {
        Verdict verdict = await Simulator.RunAsync(1, 1_000, bug, Deadline);

        Assert.True(verdict.Failure is not null, $"{bug} was not caught in {verdict.Histories} histories");
        output.WriteLine($"{bug}: {verdict.Failure.Split('\n')[0]}");
    }

    [Fact]
    public async Task The_same_seeds_give_the_same_histories()
    {
        Verdict[] verdicts = await Task.WhenAll(
            Simulator.RunAsync(1, 60, bug: null, Deadline), Simulator.RunAsync(1, 60, bug: null, Deadline), Simulator.RunAsync(61, 60, bug: null, Deadline));

        Assert.Equal(verdicts[0].Fingerprint, verdicts[1].Fingerprint);
        Assert.NotEqual(verdicts[0].Fingerprint, verdicts[2].Fingerprint);
    }

    [Fact]
    public void At_least_ten_bugs_are_tried() => Assert.InRange(Run.Bugs.Count(), 10, 100);

    private static long Hits(Dictionary<string, long> hits, string prefix) =>
        hits.Where(h => h.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(h => h.Value);

    private static int FromEnvironment(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
