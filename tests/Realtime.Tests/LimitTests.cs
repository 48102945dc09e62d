using Microsoft.AspNetCore.SignalR;
using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class LimitTests
{
    public static TheoryData<SubscriptionRequest, string> Refused => new()
    {
        { new() { Names = ["a"] }, "namespace is missing; allowed: the name of an existing namespace." },
        { new() { Namespace = "nowhere", Names = ["a"] }, "namespace is 'nowhere'; there is no such namespace." },
        { new() { Namespace = "words" }, "0 of names, prefix, labels and top are given; allowed: exactly one." },
        { new() { Namespace = "words", Names = ["a"], Top = 3 }, "2 of names, prefix, labels and top are given; allowed: exactly one." },
        { new() { Namespace = "words", Names = [] }, "names is a list of 0; allowed: 1 to 1000 names." },
        { new() { Namespace = "words", Names = [.. Enumerable.Range(0, 1_001).Select(i => $"n{i}")] }, "names is a list of 1001; allowed: 1 to 1000 names." },
        { new() { Namespace = "words", Names = ["a", ""] }, "names[1] is 0 bytes long; allowed: 1 to 256 bytes." },
        { new() { Namespace = "words", Names = [new string('é', 129)] }, "names[0] is 258 bytes long; allowed: 1 to 256 bytes." },
        { new() { Namespace = "words", Prefix = new string('p', 257) }, "prefix is 257 bytes long; allowed: 0 to 256 bytes." },
        { new() { Namespace = "words", Top = 0 }, "top is 0; allowed: 1 to 1000." },
        { new() { Namespace = "words", Top = 1_001 }, "top is 1001; allowed: 1 to 1000." },
        { new() { Namespace = "words", Top = 1, IntervalMs = 49 }, "intervalMs is 49; allowed: 50 to 60000." },
        { new() { Namespace = "words", Top = 1, IntervalMs = 60_001 }, "intervalMs is 60001; allowed: 50 to 60000." },
        { new() { Namespace = "words", Top = 1, Confidence = 0.5 }, "confidence is 0.5; allowed: above 0.5 and below 1." },
        { new() { Namespace = "words", Top = 1, Confidence = 1 }, "confidence is 1; allowed: above 0.5 and below 1." },
        { new() { Namespace = "words", Labels = new Dictionary<string, string>() }, "labels is a list of 0; allowed: 1 to 16 labels." },
        { new() { Namespace = "words", Labels = new Dictionary<string, string> { ["lang"] = new('x', 65) } }, "labels.lang is 65 bytes long; allowed: 0 to 64 bytes." },
        { new() { Namespace = "words", Top = 1, Resume = new ResumePoint() }, "resume.number is 0; allowed: the number of the last frame received, from 1." },
    };

    [Fact]
    public async Task A_bad_request_is_told_the_field_the_value_and_what_is_allowed()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        foreach (var row in Refused)
        {
            var (request, expected) = ((SubscriptionRequest)row[0], (string)row[1]);
            var refusal = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync(request));
            Assert.EndsWith(expected, refusal.Message, StringComparison.Ordinal);
            refusal = await Assert.ThrowsAsync<HubException>(() => WatchTests.FirstAsync(client, request));
            Assert.EndsWith(expected, refusal.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, host.Broadcaster.Count);
    }

    [Fact]
    public async Task A_connection_holds_a_limited_number_of_subscriptions()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        for (int i = 0; i < RealtimeLimits.MaxSubscriptionsPerConnection; i++)
            await client.SubscribeAsync("a");

        var refusal = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync("a"));
        Assert.EndsWith("This connection has 32 subscriptions; allowed 32.", refusal.Message, StringComparison.Ordinal);

        await client.Connection.InvokeCoreAsync("Unsubscribe", typeof(object), [1]);
        await client.SubscribeAsync("a");
    }

    [Fact]
    public async Task A_node_holds_a_limited_number_of_subscriptions_and_counters()
    {
        await using var host = await LiveHost.StartAsync(options => (options.MaxSubscriptions, options.MaxWatchedCounters) = (3, 5));
        await using var client = await host.ConnectAsync();
        await client.SubscribeAsync("a", "b");
        await client.SubscribeAsync("c", "d");

        var refusal = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync("e", "f"));
        Assert.EndsWith("This node's subscriptions watch 5 counters, the most that it allows (MaxWatchedCounters).", refusal.Message, StringComparison.Ordinal);
        await client.SubscribeAsync("e");
        refusal = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync("f"));
        Assert.EndsWith("This node holds 3 subscriptions, the most that it allows (MaxSubscriptions).", refusal.Message, StringComparison.Ordinal);

        await client.Connection.InvokeCoreAsync("Unsubscribe", typeof(object), [1]);
        await client.SubscribeAsync("g", "h");
    }

    [Fact]
    public async Task A_node_reads_at_a_limited_number_of_confidences()
    {
        await using var host = await LiveHost.StartAsync(options => options.MaxReadGroups = 2);
        await using var client = await host.ConnectAsync();
        var first = await client.SubscribeAsync(At(0.9));
        await client.SubscribeAsync(At(0.8));
        var refusal = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync(At(0.7)));
        Assert.EndsWith("This node watches 2 pairs of namespace and confidence, the most that it allows (MaxReadGroups).", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(2, host.Broadcaster.Count);

        await client.SubscribeAsync(At(0.8));
        await client.Connection.InvokeCoreAsync("Unsubscribe", typeof(object), [first.Subscription]);
        await client.SubscribeAsync(At(0.7));

        static SubscriptionRequest At(double confidence) => new() { Namespace = "words", Names = ["a"], Confidence = confidence };
    }

    [Fact]
    public async Task Unsubscribing_what_is_not_there_says_so()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        var refusal = await Assert.ThrowsAsync<HubException>(() => client.Connection.InvokeCoreAsync("Unsubscribe", typeof(object), [9]));
        Assert.Contains("subscription is 9; allowed: an id that Subscribe gave", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_fails_refuses_newcomers_and_costs_the_others_nothing()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        host.Reader.Set("a", 1);
        await client.SubscribeAsync("a");
        host.Reader.Fails = true;

        foreach (var request in new SubscriptionRequest[] { LiveClient.Watching("a"), new() { Namespace = "words", Prefix = "" } })
        {
            var refusal = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync(request));
            Assert.Contains("The values cannot be read at this moment", refusal.Message, StringComparison.Ordinal);
        }

        host.Reader.Fails = false;
        host.Reader.Set("a", 2);
        await host.TickAsync();
        Assert.Equal(2, (await client.NextAsync()).Values.Single().Value);
        Assert.Equal(1, host.Broadcaster.Count);
    }

    [Fact]
    public async Task A_node_that_is_still_opening_says_to_come_back()
    {
        await using var host = await LiveHost.StartAsync();
        await using var client = await host.ConnectAsync();
        host.Reader.IsOpening = true;
        var refusal = await Assert.ThrowsAsync<HubException>(() => client.SubscribeAsync("a"));
        Assert.EndsWith("subscribe again in a second.", refusal.Message, StringComparison.Ordinal);
    }
}
