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
        while (!joined.Contains("c") || !left.Contains("b"))
        {
            await host.TickAsync(1_000);
            while (client.HasFrame)
            {
                var frame = await client.NextAsync();
                joined.UnionWith(frame.Values.Select(value => value.Name));
                left.UnionWith(frame.Removed ?? []);
            }
        }

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

        // Its next turn is in a minute; meanwhile more names come and go than are remembered.
        for (int wave = 0; wave < 3; wave++)
        {
            for (int i = 0; i < 600; i++)
                host.Reader.Set($"{wave}/{i}", 1);
            await SeenAsync(host, other, frame => frame.Values.Count >= 600);
            for (int i = 0; i < 600; i++)
                host.Reader.Remove($"{wave}/{i}");
            await SeenAsync(host, other, frame => frame.Removed?.Count >= 600);
        }

        host.Reader.Set("stays", 1);
        await SeenAsync(host, client, frame => frame.Snapshot && frame.Number > 1 && frame.Values.Select(v => v.Name).SequenceEqual(["stays"]), 30_000);
    }

    private static async Task SeenAsync(LiveHost host, LiveClient client, Func<CounterFrame, bool> wanted, int stepMs = 1_000)
    {
        while (true)
        {
            await host.TickAsync(stepMs);
            while (client.HasFrame)
            {
                if (wanted(await client.NextAsync()))
                    return;
            }
        }
    }

    private static SubscriptionRequest Labelled(string lang, int intervalMs = 50) =>
        new() { Namespace = MemoryReader.Namespace, Labels = new Dictionary<string, string> { ["lang"] = lang }, IntervalMs = intervalMs };
}
