using System.Diagnostics;
using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class LabelSelectionTests
{
    [Theory, MemberData(nameof(SubscribeTests.Protocols), MemberType = typeof(SubscribeTests))]
    public async Task Labels_bring_their_counters_those_that_join_and_the_names_of_those_that_leave(string protocol)
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync(protocol);
        host.Reader.Set("a", 1);
        host.Reader.Set("b", 1);
        host.Reader.Set("c", 1, lang: "de");
        var reply = await client.SubscribeAsync(Labelled("en"));
        Assert.Equal(["a", "b"], reply.Snapshot.Values.Select(value => value.Name));
        var all = await client.SubscribeAsync(Labelled(""));
        Assert.Equal(["a", "b", "c"], all.Snapshot.Values.Select(value => value.Name));
        await client.Connection.InvokeCoreAsync("Unsubscribe", typeof(object), [all.Subscription]);

        host.Reader.Set("b", 1, lang: "fr");
        host.Reader.Set("c", 7);
        var (joined, left) = (new HashSet<string>(), new HashSet<string>());
        await SeenAsync(
            host, client, frame => Add(joined, frame.Values.Select(value => value.Name)).Contains("c") & Add(left, frame.Removed ?? []).Contains("b"));

        Assert.DoesNotContain("c", left);
    }

    [Fact]
    public async Task A_reader_that_slept_while_too_many_left_gets_everything_anew()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await using var other = await host.ConnectAsync();
        await client.SubscribeAsync(Labelled("en", intervalMs: 60_000));
        await other.SubscribeAsync(Labelled("en"));

        // Its next turn is in a minute; meanwhile more names come and go than are remembered. A look-up in between sees a part of them.
        for (int wave = 0; wave < 3; wave++)
        {
            string[] names = [.. Enumerable.Range(0, 600).Select(i => $"{wave}/{i}")];
            var (joined, left) = (new HashSet<string>(), new HashSet<string>());
            Array.ForEach(names, name => host.Reader.Set(name, 1));
            await SeenAsync(host, other, frame => Add(joined, frame.Values.Select(value => value.Name)).IsSupersetOf(names));
            Array.ForEach(names, host.Reader.Remove);
            await SeenAsync(host, other, frame => Add(left, frame.Removed ?? []).IsSupersetOf(names));
        }

        host.Reader.Set("stays", 1);
        await SeenAsync(host, client, frame => frame.Snapshot && frame.Number > 1 && frame.Values.Select(v => v.Name).SequenceEqual(["stays"]), 30_000);
    }

    // Names are looked up beside the loop: a while is left to that after each step, or a busy machine would see the minute pass.
    private static async Task SeenAsync(LiveHost host, LiveClient client, Func<CounterFrame, bool> wanted, int stepMs = 500)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < Eventually.Deadline)
        {
            await host.TickAsync(stepMs);
            while (await client.NextAsync(TimeSpan.FromMilliseconds(200)) is { } frame)
            {
                if (wanted(frame))
                    return;
            }
        }

        Assert.Fail($"Waited {Eventually.Deadline} for a frame.");
    }

    private static HashSet<string> Add(HashSet<string> names, IEnumerable<string> more)
    {
        names.UnionWith(more);
        return names;
    }

    private static SubscriptionRequest Labelled(string lang, int intervalMs = 50) =>
        new() { Namespace = MemoryReader.Namespace, Labels = new Dictionary<string, string> { ["lang"] = lang }, IntervalMs = intervalMs };
}
