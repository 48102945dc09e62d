namespace Sketch.Tests.Realtime;

public sealed class ColdCounterTests
{
    [Fact]
    public async Task The_first_frame_waits_for_counters_that_are_out_of_memory()
    {
        await using var host = await LiveHost.StartAsync();
        host.Reader.Set("of", 1);
        host.Reader.Set("the", 2);
        host.Reader.Chill("the");
        await using var client = await host.ConnectAsync();
        var reply = client.SubscribeAsync("of", "the");
        await AskedForAsync(host);
        await host.TickAsync();
        Assert.False(reply.IsCompleted);

        host.Reader.Store.SetResult();
        Assert.Equal([1, 2], (await reply).Snapshot.Values.Select(value => value.Value));
        Assert.Equal(["the"], Assert.Single(host.Reader.WarmUps));
    }

    [Fact]
    public async Task A_store_that_is_silent_holds_a_first_frame_up_for_a_second_at_most()
    {
        await using var host = await LiveHost.StartAsync();
        host.Reader.Set("of", 1);
        host.Reader.Set("the", 2);
        host.Reader.Chill("the");
        await using var client = await host.ConnectAsync();
        var reply = client.SubscribeAsync("of", "the");
        await AskedForAsync(host);
        await host.TickAsync(1_000);
        Assert.Equal(["of"], (await reply).Snapshot.Values.Select(value => value.Name));
    }

    [Fact]
    public async Task A_watched_counter_that_leaves_memory_is_not_said_to_be_gone()
    {
        await using var host = await LiveHost.StartAsync();
        host.Reader.Set("the", 2);
        await using var client = await host.ConnectAsync();
        await client.SubscribeAsync("the");
        host.Reader.Chill("the");
        await host.TickAsync();
        await host.TickAsync();
        await client.DrainAsync();
        Assert.False(client.HasFrame);

        host.Reader.Set("the", 3);
        host.Reader.Store.SetResult();
        await Eventually.TrueAsync(() => host.Reader.Read(MemoryReader.Namespace, ["the"], 0.99)[0] is not null, "the counter to come in");
        await host.TickAsync();
        var frame = await client.NextAsync();
        Assert.Equal(3, frame.Values.Single().Value);
        Assert.Null(frame.Removed);

        // One that is deleted is.
        host.Reader.Remove("the");
        await host.TickAsync();
        Assert.Equal(["the"], (await client.NextAsync()).Removed!);
    }

    [Fact]
    public async Task A_counter_that_is_nowhere_is_asked_for_once()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        await client.SubscribeAsync("new");
        for (int i = 0; i < 5; i++)
            await host.TickAsync();
        Assert.Single(host.Reader.WarmUps, names => names.Contains("new"));

        host.Reader.Set("new", 1);
        await host.TickAsync();
        Assert.Equal(1, (await client.NextAsync()).Values.Single().Value);
    }

    // The groups are told at the end of a round: before it the loop has not said when it wants to be woken, and a clock that is moved meanwhile is not seen.
    private static Task AskedForAsync(LiveHost host) =>
        Eventually.TrueAsync(() => host.Reader.WarmUps.Count == 1 && host.Broadcaster.Groups == 1, "the counter to be asked for");
}
