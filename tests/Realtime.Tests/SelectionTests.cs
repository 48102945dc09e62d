using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class SelectionTests
{
    [Fact]
    public async Task A_prefix_brings_its_counters_and_those_that_join_later()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        host.Reader.Set("page/a", 1);
        host.Reader.Set("page/b", 1);
        host.Reader.Set("other", 1);
        await client.SubscribeAsync("page/c");
        var reply = await client.SubscribeAsync(new SubscriptionRequest { Namespace = "words", Prefix = "page/", IntervalMs = 50 });
        Assert.Equal(["page/a", "page/b"], reply.Snapshot.Values.Select(value => value.Name));
        Assert.False(reply.Snapshot.Truncated);

        // Already watched by name when the prefix finds it: it must still arrive for the prefix.
        host.Reader.Set("page/c", 5);
        await host.TickAsync();
        Assert.NotEqual(reply.Subscription, (await client.NextAsync()).Subscription);
        CounterFrame? joined = null;
        while (joined is null)
        {
            await host.TickAsync(1_000);
            while (client.HasFrame)
            {
                var frame = await client.NextAsync();
                joined = frame.Subscription == reply.Subscription && frame.Values.Count > 0 ? frame : joined;
            }
        }

        Assert.Equal([("page/c", 5L)], joined.Values.Select(value => (value.Name, value.Value)));
    }

    [Fact]
    public async Task A_prefix_with_too_many_counters_says_that_it_is_cut()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        for (int i = 0; i <= RealtimeLimits.MaxNames; i++)
            host.Reader.Set($"n{i:d5}", i);
        var reply = await client.SubscribeAsync(new SubscriptionRequest { Namespace = "words", Prefix = "n" });
        Assert.True(reply.Snapshot.Truncated);
        Assert.Equal(RealtimeLimits.MaxNames, reply.Snapshot.Values.Count);
        host.Reader.Remove("n01000");
        await using var another = await host.ConnectAsync();
        Assert.False((await another.SubscribeAsync(
            new SubscriptionRequest { Namespace = "words", Prefix = "n", Confidence = 0.9 })).Snapshot.Truncated);
    }

    [Fact]
    public async Task A_top_list_brings_who_enters_and_names_who_leaves()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        foreach (var (name, value) in new[] { ("a", 40), ("b", 30), ("c", 20), ("d", 10) })
            host.Reader.Set(name, value);
        var two = await client.SubscribeAsync(new SubscriptionRequest { Namespace = "words", Top = 2, IntervalMs = 50 });
        Assert.Equal(["a", "b"], two.Snapshot.Values.Select(value => value.Name));
        await using var another = await host.ConnectAsync();
        await another.SubscribeAsync(new SubscriptionRequest { Namespace = "words", Top = 3, IntervalMs = 60_000 });

        // c was in the longer list of another all the time, unchanged; b falls behind it.
        host.Reader.Set("b", 15);
        await host.TickAsync();
        var frame = await client.NextAsync();
        Assert.Equal(["c"], frame.Values.Select(value => value.Name));
        Assert.Equal(["b"], frame.Removed!);

        host.Reader.Set("c", 50);
        await host.TickAsync();
        frame = await client.NextAsync();
        Assert.Equal(["c"], frame.Values.Select(value => value.Name));
        Assert.Null(frame.Removed);
    }
}
