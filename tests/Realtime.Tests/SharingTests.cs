using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class SharingTests
{
    [Fact]
    public async Task A_counter_is_computed_once_a_tick_however_many_watch()
    {
        await using var host = await LiveHost.StartAsync();
        for (int i = 0; i < 10; i++)
            host.Reader.Set($"c{i}", 1);
        var clients = new List<LiveClient>();
        for (int i = 0; i < 40; i++)
        {
            var client = await host.ConnectAsync(i % 2 == 0 ? "json" : "messagepack");
            await client.SubscribeAsync([.. Enumerable.Range(0, 10).Select(c => $"c{(c + i) % 10}")]);
            clients.Add(client);
        }

        int before = host.Reader.Reads.Count;
        for (int i = 0; i < 10; i++)
            host.Reader.Set($"c{i}", 2);
        await host.TickAsync();
        foreach (var client in clients)
        {
            var frame = await client.NextAsync();
            Assert.Equal(10, frame.Values.Count);
            Assert.Equal(host.Time.GetUtcNow().UtcDateTime, frame.AsOf);
            await client.DisposeAsync();
        }

        var read = Assert.Single(host.Reader.Reads.Skip(before));
        Assert.Equal(10, read.Length);
        Assert.Equal(10, read.Distinct().Count());
    }

    [Fact]
    public async Task Top_lists_of_any_length_are_ranked_once_a_tick()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        for (int i = 0; i < 10; i++)
            host.Reader.Set($"c{i}", i);
        for (int k = 1; k <= 10; k++)
            await client.SubscribeAsync(new SubscriptionRequest { Namespace = "words", Top = k, IntervalMs = 50 });

        int before = host.Reader.Rankings;
        host.Reader.Set("c9", 100);
        await host.TickAsync();
        for (int k = 1; k <= 10; k++)
            Assert.Equal("c9", Assert.Single((await client.NextAsync()).Values).Name);
        Assert.Equal(1, host.Reader.Rankings - before);
    }
}
