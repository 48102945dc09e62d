using Sketch.Client;
using Sketch.Tests.Server;

namespace Sketch.Tests.Client;

/// <summary>Increments from many threads to a real node that comes and goes.</summary>
public sealed class IncrementSenderTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_many_threads_count_is_there_once_when_a_flush_returns()
    {
        await using var host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/shop", """{"tier":"strong"}""");
        await using var sender = new IncrementSender(host.Node.Http, "shop", new IncrementSenderOptions { BatchIncrements = 64 });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(async () =>
        {
            for (int i = 0; i < 5_000; i++)
                await sender.CountAsync($"article {i % 50}", thread == 0 ? 300 : i % 2 == 0 ? 1 : -1);
        })));
        await sender.FlushAsync().WaitAsync(Deadline);

        for (int i = 0; i < 50; i++)
            Assert.Equal((100 * 300) + (i % 2 == 0 ? 300 : -300), await ValueAsync(host, "shop", $"article {i}"));
    }

    [Fact]
    public async Task An_increment_alone_goes_without_a_flush()
    {
        await using var host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/shop", "{}");
        await using var sender = new IncrementSender(host.Node.Http, "shop", new IncrementSenderOptions { SendAfter = TimeSpan.FromMilliseconds(1) });
        await sender.CountAsync("sold", 7);
        await host.WaitForValueAsync("shop", "sold", 7);
    }

    [Fact]
    public async Task A_node_that_is_started_anew_again_and_again_counts_each_increment_once()
    {
        const int Restarts = 4, PerRound = 3_000;
        var host = await NodeHost.StartAsync();
        try
        {
            await host.PutAsync("/v1/namespaces/shop", """{"tier":"eventual"}""");
            await using var sender = new IncrementSender(host.Node.Http, "shop", new IncrementSenderOptions { BatchIncrements = 20 });
            long counted = 0;
            for (int restart = 0; restart < Restarts; restart++)
            {
                // At most 800 of them can be without an answer: the node goes in the middle of the others.
                int leaves = 600 * (restart + 1);
                TaskCompletionSource reached = new();
                Task counting = Task.Run(async () =>
                {
                    for (int i = 0; i < PerRound; i++)
                    {
                        await sender.CountAsync($"c{i % 7}");
                        if (i == leaves)
                            reached.SetResult();
                    }
                });
                await reached.Task.WaitAsync(Deadline);
                await host.Node.DisposeAsync();
                host = await NodeHost.StartAsync(folder: host.Folder, store: host.Store, httpPort: host.Node.Http.Port);
                await counting.WaitAsync(Deadline);
                counted += PerRound;
            }

            await sender.FlushAsync().WaitAsync(Deadline);
            long sum = 0;
            for (int i = 0; i < 7; i++)
                sum += await ValueAsync(host, "shop", $"c{i}");
            Assert.Equal(counted, sum);
        }
        finally
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_is_refused_is_told_once_and_the_rest_is_counted()
    {
        await using var host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", "{}");
        List<IncrementRefusedException> told = [];
        await using var sender = new IncrementSender(host.Node.Http, "words", new IncrementSenderOptions { BatchIncrements = 2, Refused = told.Add });
        await sender.CountAsync("a", 1);
        await sender.CountAsync("a", 2);
        await sender.CountAsync("b", 3);
        await sender.CountAsync("b", -1);
        await sender.CountAsync("c", 4);
        var refused = await Assert.ThrowsAsync<IncrementRefusedException>(() => sender.FlushAsync().WaitAsync(Deadline));

        Assert.Equal((400, 2), (refused.Status, refused.Increments));
        Assert.Contains("-1", refused.Message, StringComparison.Ordinal);
        Assert.Same(refused, Assert.Single(told));
        await sender.FlushAsync().WaitAsync(Deadline);
        Assert.Equal((3, 4), (await ValueAsync(host, "words", "a"), await ValueAsync(host, "words", "c")));
        Assert.Equal(404, (await host.GetAsync("/v1/namespaces/words/counters/b")).Status);
    }

    [Fact]
    public async Task However_many_batches_are_refused_in_a_row_and_whatever_the_application_does_about_it_the_next_is_counted()
    {
        const int Refused = 600; // beyond the 256 by which a producer may be ahead
        await using var host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", "{}");
        int told = 0;
        await using var sender = new IncrementSender(host.Node.Http, "words", new IncrementSenderOptions
        {
            BatchIncrements = 1,
            Refused = _ =>
            {
                if (Interlocked.Increment(ref told) == 1)
                    throw new NotSupportedException("of the application");
            },
        });
        for (int i = 0; i < Refused; i++)
            await sender.CountAsync("a", -1).AsTask().WaitAsync(Deadline);
        await Assert.ThrowsAsync<IncrementRefusedException>(() => sender.FlushAsync().WaitAsync(Deadline));
        await sender.CountAsync("a", 5);
        await sender.FlushAsync().WaitAsync(Deadline);
        Assert.Equal((5, Refused), (await ValueAsync(host, "words", "a"), told));
    }

    [Fact]
    public async Task A_counter_that_was_deleted_is_made_again_by_the_next_increment()
    {
        await using var host = await NodeHost.StartAsync();
        await host.PutAsync("/v1/namespaces/words", """{"tier":"eventual"}""");
        await using var sender = new IncrementSender(host.Node.Http, "words");
        await sender.CountAsync("a", 5);
        await sender.FlushAsync().WaitAsync(Deadline);
        Assert.Equal(204, (await host.SendAsync(HttpMethod.Delete, "/v1/namespaces/words/counters/a", (byte[]?)null)).Status);
        await sender.CountAsync("a", 2);
        await sender.FlushAsync().WaitAsync(Deadline);
        Assert.Equal(2, await ValueAsync(host, "words", "a"));
    }

    [Fact]
    public async Task Without_the_namespace_nothing_is_taken()
    {
        await using var host = await NodeHost.StartAsync();
        await using var sender = new IncrementSender(host.Node.Http, "nowhere");
        await sender.CountAsync("a");
        var refused = await Assert.ThrowsAsync<IncrementRefusedException>(() => sender.FlushAsync().WaitAsync(Deadline));
        Assert.Equal(404, refused.Status);
        Assert.Contains("nowhere", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IncrementRefusedException>(async () => await sender.CountAsync("a"));
    }

    [Fact]
    public async Task A_node_that_is_not_there_makes_counting_wait_and_neither_flush_nor_dispose_hang()
    {
        await using var sender = new IncrementSender(
            new Uri("http://127.0.0.1:9"), "shop", new IncrementSenderOptions { BatchIncrements = 1, DrainTime = TimeSpan.FromMilliseconds(50) });
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            for (int i = 0; i < 1_000; i++)
                await sender.CountAsync("a", 1, patience.Token);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sender.FlushAsync(patience.Token));
        Task flushing = sender.FlushAsync();
        await sender.DisposeAsync().AsTask().WaitAsync(Deadline);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => flushing.WaitAsync(Deadline));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await sender.CountAsync("a"));
    }

    private static async Task<long> ValueAsync(NodeHost host, string @namespace, string name) =>
        (await host.GetAsync($"/v1/namespaces/{@namespace}/counters/{Uri.EscapeDataString(name)}")).Json.GetProperty("value").GetInt64();
}
