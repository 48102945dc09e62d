using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class ItemTests
{
    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task A_counter_of_the_kind_top_brings_its_items_with_their_bounds(string protocol)
    {
        await using var host = await LiveHost.StartAsync();
        host.Reader.SetItems("pages", ("/", 7), ("/é", 4));
        host.Reader.Set("sold", 3);
        await using var client = await host.ConnectAsync(protocol);
        var first = (await client.SubscribeAsync("pages", "sold")).Snapshot;
        var value = await WithItemsAsync(host, client, first, "pages");
        Assert.Equal(
            [Item("/", 7), Item("/é", 4)],
            value.Items!);
        Assert.InRange(value.ItemsAsOf!.Value, MemoryReader.Checkpoint.UtcDateTime, host.Time.GetUtcNow().UtcDateTime);
        Assert.All(first.Values.Where(other => other.Name == "sold"), other => Assert.Null(other.Items));
    }

    [Fact]
    public async Task Items_are_read_once_a_second_and_said_when_they_changed()
    {
        await using var host = await LiveHost.StartAsync();
        host.Reader.SetItems("pages", ("/", 7), ("/a", 5));
        await using var client = await host.ConnectAsync();
        var first = (await client.SubscribeAsync("pages")).Snapshot;
        await WithItemsAsync(host, client, first, "pages");
        await client.DrainAsync();
        int before = host.Reader.ItemReads;
        await host.TickAsync(500);
        Assert.Equal(before, host.Reader.ItemReads);

        // The same again is no news.
        await host.TickAsync(500);
        await Eventually.TrueAsync(() => host.Reader.ItemReads == before + 1, "the items to be read again");
        await host.TickAsync();
        await client.DrainAsync();
        Assert.False(client.HasFrame);

        host.Reader.SetItems("pages", ("/", 6), ("/a", 6));
        await host.TickAsync(1_000);
        await Eventually.TrueAsync(() => host.Reader.ItemReads == before + 2, "the items to be read again");
        Assert.Equal([Item("/", 6), Item("/a", 6)], (await NextAsync(host, client, "pages")).Items!);
    }

    [Fact]
    public async Task A_frame_holds_no_more_items_than_the_limit()
    {
        await using var host = await LiveHost.StartAsync();
        host.Reader.SetItems("pages", [.. Enumerable.Range(0, RealtimeLimits.MaxItems + 1).Select(i => ($"/{i}", 100L - i))]);
        await using var client = await host.ConnectAsync();
        var first = (await client.SubscribeAsync(new SubscriptionRequest { Namespace = MemoryReader.Namespace, Top = 1, IntervalMs = 50 })).Snapshot;
        Assert.Equal(RealtimeLimits.MaxItems, (await WithItemsAsync(host, client, first, "pages")).Items!.Count);
    }

    private static LiveItem Item(string name, long value) => new() { Item = name, Value = value, Lower = value - 1, Upper = value, Certain = true, Exact = false };

    private static async Task<LiveValue> WithItemsAsync(LiveHost host, LiveClient client, CounterFrame first, string name)
    {
        var value = first.Values.Single(value => value.Name == name);
        while (value.Items is null)
            value = await NextAsync(host, client, name);
        return value;
    }

    // Items are read beside the loop: they are in one of the next frames.
    private static async Task<LiveValue> NextAsync(LiveHost host, LiveClient client, string name)
    {
        for (int ticks = 0; ticks < 200; ticks++)
        {
            await host.TickAsync();
            if ((await client.NextAsync(TimeSpan.FromMilliseconds(100)))?.Values.SingleOrDefault(value => value.Name == name) is { } value)
                return value;
        }

        throw new TimeoutException($"No frame with a value of {name}.");
    }
}
