using System.Collections.Concurrent;
using System.Text;
using Sketch.Client;
using Sketch.Engine.Increments;
using Sketch.Tests.Server;

namespace Sketch.Tests.Client;

/// <summary>Every value that clients saw, checked afterwards against what was counted, with a sketch that is far too small.</summary>
public sealed class SeenValuesTests
{
    private const int Watched = 300;
    private const int Others = 3_000;
    private const int Frames = 60;

    [Theory]
    [InlineData("approximate")]
    [InlineData("eventual")]
    public async Task The_truth_was_within_the_bounds_and_what_rested_stayed_within_those_before(string tier)
    {
        await using var host = await NodeHost.StartAsync(options => options with { SketchMemoryBytes = 8 << 10 });
        await host.PutAsync("/v1/namespaces/words", $$"""{"tier":"{{tier}}"}""");
        string[] names = [.. Enumerable.Range(0, Watched).Select(i => $"w{i}")];
        var history = new History();
        await CountAsync(host, history, [.. names.Select(name => (name, 10L))]);
        await using var live = new LiveConnection(host.Node.Http);
        using var done = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        var counting = Task.Run(() => KeepCountingAsync(host, history, done.Token));

        // Three clients with turns of their own: the slow one sees every tenth of what the fast ones see.
        var seen = await Task.WhenAll(
            SeeAsync(live, LiveSelection.OfNames("words", names) with { IntervalMs = 50, Confidence = 0.9 }, Frames, done.Token),
            SeeAsync(live, LiveSelection.OfNames("words", names) with { IntervalMs = 50, Confidence = 0.99 }, Frames, done.Token),
            SeeAsync(live, LiveSelection.OfNames("words", names) with { IntervalMs = 500, Confidence = 0.99 }, Frames / 10, done.Token));
        await done.CancelAsync();
        await counting;
        Assert.True(host.Store.Checkpoints.Count > 0, "no checkpoint in between");

        foreach (var (frames, confidence) in seen.Zip([0.9, 0.99, 0.99]))
            Check(history, frames, tier == "approximate" ? confidence : 1, tier);
    }

    private static void Check(History history, List<LiveFrame> frames, double confidence, string tier)
    {
        long values = 0, covered = 0, rested = 0, left = 0, wide = 0;
        var before = new Dictionary<string, (LiveCounter Value, DateTime AsOf)>();
        foreach (var frame in frames)
        {
            foreach (var value in frame.Values)
            {
                var (least, most) = history.At(value.Name, frame.AsOf);
                values++;
                covered += value.Lower <= most && least <= value.Upper ? 1 : 0;
                wide += value.Exact ? 0 : 1;
                Assert.InRange(value.Value, value.Lower, value.Upper);
                if (before.TryGetValue(value.Name, out var old) && history.At(value.Name, old.AsOf).Least == most)
                {
                    rested++;
                    left += old.Value.Lower <= value.Value && value.Value <= old.Value.Upper ? 0 : 1;
                }

                before[value.Name] = (value, frame.AsOf);
            }
        }

        Assert.True(covered >= confidence * values, $"{tier} at {confidence}: {covered} of {values} covered");
        Assert.True(left <= (1 - confidence) * rested, $"{tier} at {confidence}: {left} of {rested} values that rested left the bounds before");

        // Else nothing was put to the test.
        Assert.True(tier != "approximate" || (wide > values / 4 && rested > 1_000), $"{values} values, {wide} uncertain, {rested} rested");
    }

    private static async Task<List<LiveFrame>> SeeAsync(LiveConnection live, LiveSelection selection, int frames, CancellationToken cancellationToken)
    {
        var seen = new List<LiveFrame>();
        await foreach (var frame in live.WatchAsync(selection, cancellationToken))
        {
            seen.Add(frame);
            if (seen.Count == frames)
                break;
        }

        return seen;
    }

    // A tenth of the watched counters goes on, the others rest; thousands of others make noise.
    private static async Task KeepCountingAsync(NodeHost host, History history, CancellationToken stop)
    {
        var random = new Random(5);
        while (!stop.IsCancellationRequested)
        {
            var batch = new (string, long)[200];
            for (int i = 0; i < batch.Length; i++)
                batch[i] = random.Next(20) == 0 ? ($"w{random.Next(Watched / 10)}", random.Next(1, 50)) : ($"o{random.Next(Others)}", random.Next(1, 5));
            await CountAsync(host, history, batch);
            await Task.Delay(2, CancellationToken.None);
        }
    }

    private static async Task CountAsync(NodeHost host, History history, (string Name, long Delta)[] increments)
    {
        using IncrementBatch batch = host.Node.Engine.RentBatch("words")!;
        foreach (var (name, delta) in increments)
            Assert.Null(batch.Add(Encoding.UTF8.GetBytes(name), delta));
        var sent = DateTime.UtcNow;
        Assert.Equal(IncrementStatus.Accepted, (await host.Node.Engine.CommitAsync(batch, null, 0, default)).Status);
        history.Add(sent, DateTime.UtcNow, increments);
    }

    /// <summary>What was counted when: a batch took effect between its sending and its acknowledgement.</summary>
    private sealed class History
    {
        private readonly ConcurrentDictionary<string, List<(DateTime Sent, DateTime Acknowledged, long Delta)>> _increments = new();

        public void Add(DateTime sent, DateTime acknowledged, (string Name, long Delta)[] increments)
        {
            foreach (var (name, delta) in increments)
                _increments.GetOrAdd(name, _ => []).Add((sent, acknowledged, delta));
        }

        /// <summary>The least and the most that the counter was then.</summary>
        public (long Least, long Most) At(string name, DateTime moment)
        {
            long least = 0, most = 0;
            foreach (var (sent, acknowledged, delta) in _increments[name])
            {
                least += acknowledged <= moment ? delta : 0;
                most += sent <= moment ? delta : 0;
            }

            return (least, most);
        }
    }
}
