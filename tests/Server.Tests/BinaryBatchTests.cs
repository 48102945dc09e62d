using Sketch.Engine.Catalogue;
using Sketch.Server.Rest;

namespace Sketch.Tests.Server;

/// <summary>Increments as columns.</summary>
public sealed class BinaryBatchTests : IAsyncLifetime
{
    private NodeHost _node = null!;

    public async Task InitializeAsync()
    {
        _node = await NodeHost.StartAsync();
        await _node.PutAsync("/v1/namespaces/words", "{}");
        await _node.PutAsync("/v1/namespaces/shop", """{"tier":"strong"}""");
    }

    public Task DisposeAsync() => _node.DisposeAsync().AsTask();

    [Theory]
    [InlineData(0, new long[] { 1, 1, 1 })]
    [InlineData(1, new long[] { 255, 0, 3 })]
    [InlineData(2, new long[] { 65_535, 1, 3 })]
    [InlineData(4, new long[] { uint.MaxValue, 1, 3 })]
    [InlineData(8, new long[] { 1_000_000_000_000, 1, 3 })]
    public async Task Columns_of_every_width_are_counted(int width, long[] deltas)
    {
        byte[] body = Batches.Of("", 0, ["a", "b", "a"], width, deltas, ["a", "b"]);
        Answer answer = await SendAsync(body);
        Assert.Equal((200, 3), (answer.Status, answer.Json.GetProperty("accepted").GetInt32()));
        Assert.Equal((deltas[0] + deltas[2], deltas[1]), (await ValueAsync("words", "a"), await ValueAsync("words", "b")));

        // From now on the node knows the names.
        Assert.Equal(200, (await SendAsync(Batches.Of("", 0, ["a", "b", "a"], width, deltas, []))).Status);
        Assert.Equal(2 * deltas[1], await ValueAsync("words", "b"));
    }

    [Fact]
    public async Task A_retry_is_a_duplicate()
    {
        byte[] body = Batches.Of("till-1", 7, ["a"], 1, [5], ["a"]);
        Assert.False((await SendAsync(body)).Json.GetProperty("duplicate").GetBoolean());
        Assert.True((await SendAsync(body)).Json.GetProperty("duplicate").GetBoolean());
        Assert.Equal(5, await ValueAsync("words", "a"));
    }

    [Fact]
    public async Task Strong_counters_take_negative_deltas_and_are_read_at_once()
    {
        Assert.Equal(200, (await SendAsync(Batches.Of("", 0, ["stock", "stock"], 8, [7, -3], ["stock"], "shop"), "shop")).Status);
        Assert.Equal(4, await ValueAsync("shop", "stock"));
    }

    [Fact]
    public async Task What_is_wrong_is_named_and_nothing_is_counted()
    {
        await SendAsync(Batches.Of("", 0, ["a"], 0, [1], ["a"]));
        await SendAsync(Batches.Of("", 0, ["other"], 0, [1], ["other"], "shop"), "shop");

        (await SendAsync(Batches.Of("", 0, ["a", "new"], 0, [1, 1], []))).IsProblem(400, "ids[1]", $"{CounterId.Of("words", "new"):x16}", "of a name that the batch declares");
        (await SendAsync(Batches.Of("", 0, ["a", "other"], 0, [1, 1], [], "shop"))).IsProblem(400, "ids[0]", "", "a counter of this namespace");
        (await SendAsync(Batches.Of("", 0, ["a", "a"], 8, [1, -1], []))).IsProblem(400, "deltas[1]", "-1", "strong and eventual");
        (await SendAsync(Batches.Of("", 0, ["a", "a"], 8, [1, 1_000_000_000_001], []))).IsProblem(400, "deltas[1]", "1000000000001", "1000000000000");
        (await SendAsync(Batches.Of("", 0, ["a"], 0, [1], ["ok", "\u0001"]))).IsProblem(400, "names[1]", "", "without control characters");
        (await SendAsync(Batches.Of("p", 0, ["a"], 0, [1], []))).IsProblem(400, "sequence", "missing", "1 to");
        (await SendAsync(Batches.Of("", 3, ["a"], 0, [1], []))).IsProblem(400, "producer", "missing", "1 to 64 bytes");
        (await SendAsync([.. Batches.Of("", 0, ["a"], 0, [1], []), 9])).IsProblem(400, "body", "1 bytes after", "none");
        (await SendAsync(With(Batches.Of("", 0, ["a"], 0, [1], []), 4, 3))).IsProblem(400, "w", "3", "0, 1, 2, 4 or 8");
        (await SendAsync(With(Batches.Of("", 0, ["a"], 0, [1], []), 5, 2))).IsProblem(400, "encoding", "2", "0 or 1");
        (await SendAsync(With(Batches.Of("", 0, ["a"], 0, [1], []), 16, 0))).IsProblem(400, "n", "0", "1 to 10000");
        (await SendAsync(With(Batches.Of("", 0, ["a"], 0, [1], []), 18, 1))).IsProblem(400, "n", "65537", "1 to 10000");
        (await SendAsync("nonsense"u8.ToArray())).IsProblem(400, "body", "8 bytes", "docs/formats/batch.md");
        Assert.Equal((1, 1), (await ValueAsync("words", "a"), await ValueAsync("shop", "other")));
    }

    [Fact]
    public async Task A_request_may_name_its_counters_once_and_use_their_numbers()
    {
        byte[] body = Batches.OfNumbers("till-1", 7, [0, 0, 1, 1, 2], 1, [1, 2, 3, 4, 5], "a", "b", "c");
        Assert.Equal(5, (await SendAsync(body)).Json.GetProperty("accepted").GetInt32());
        Assert.True((await SendAsync(body)).Json.GetProperty("duplicate").GetBoolean());
        Assert.Equal((3, 7, 5), (await ValueAsync("words", "a"), await ValueAsync("words", "b"), await ValueAsync("words", "c")));
        // Each request has its own.
        Assert.Equal(200, (await SendAsync(Batches.OfNumbers("", 0, [0], 8, [100], "c"))).Status);
        Assert.Equal((3, 105), (await ValueAsync("words", "a"), await ValueAsync("words", "c")));
    }

    [Fact]
    public async Task A_wrong_number_is_named_and_nothing_is_counted()
    {
        byte[] good = Batches.OfNumbers("", 0, [0, 300], 0, [], [.. Enumerable.Range(0, 301).Select(i => $"n{i}")]);
        int column = BinaryBatch.HeaderBytes + 4;
        (await SendAsync(Batches.OfNumbers("", 0, [0], 0, []))).IsProblem(400, "numbers[0]", "0", "no name was declared");
        (await SendAsync(Batches.OfNumbers("", 0, [0, 2], 0, [], "a", "b"))).IsProblem(400, "numbers[1]", "2", "0 to 1");
        (await SendAsync(Batches.OfNumbers("", 0, [0, 1, 1], 8, [1, 2, -1], "a", "b"))).IsProblem(400, "deltas[2]", "-1", "strong and eventual");
        (await SendAsync(With(good, column + 2, 0x82))).IsProblem(400, "numbers[1]", "cut off", "2 numbers");
        (await SendAsync(With(good, column + 1, 0x7F))).IsProblem(400, "numbers", "1 bytes after the last number", "none");
        (await SendAsync(With(good, column - 1, 0x7F))).IsProblem(400, "body", "bytes", "as n, w and p say");
        byte[] far = Batches.OfNumbers("", 0, [int.MaxValue], 0, [], "a");
        (await SendAsync(With(far, column + 4, 0x87))).IsProblem(400, "numbers[0]", "more than 5 bytes", "LEB128");
        (await SendAsync(far)).IsProblem(400, "numbers[0]", $"{int.MaxValue}", "0 to 0");
        Assert.Equal(404, (await _node.GetAsync("/v1/namespaces/words/counters/a")).Status);
        Assert.Equal(404, (await _node.GetAsync("/v1/namespaces/words/counters/n0")).Status);
    }

    [Fact]
    public async Task A_body_with_numbers_cut_anywhere_or_with_any_byte_changed_never_crashes()
    {
        byte[] body = Batches.OfNumbers("till-1", 7, [0, 1, 200], 2, [5, 6, 7], [.. Enumerable.Range(0, 201).Select(i => $"n{i}")]);
        for (int length = 0; length < body.Length; length += length < 60 ? 1 : 37)
        {
            Assert.Equal(400, (await SendAsync(body[..length])).Status);
        }

        Assert.Equal(404, (await _node.GetAsync("/v1/namespaces/words/counters/n0")).Status);
        for (int at = 0; at < 60; at++)
        {
            Assert.InRange((await SendAsync(With(body, at, (byte)(body[at] ^ 0x81)))).Status, 200, 409);
        }
    }

    [Fact]
    public async Task A_body_cut_anywhere_or_with_any_byte_changed_never_crashes_nor_counts_in_part()
    {
        byte[] body = Batches.Of("till-1", 7, ["a", "b"], 2, [5, 6], ["a", "b"]);
        for (int length = 0; length < body.Length; length++)
        {
            Assert.Equal(400, (await SendAsync(body[..length])).Status);
        }

        Assert.Equal(404, (await _node.GetAsync("/v1/namespaces/words/counters/a")).Status);
        for (int at = 0; at < body.Length; at++)
        {
            Assert.InRange((await SendAsync(With(body, at, (byte)(body[at] ^ 0x81)))).Status, 200, 409);
        }
    }

    private static byte[] With(byte[] body, int at, byte value)
    {
        byte[] changed = [.. body];
        changed[at] = value;
        return changed;
    }

    private Task<Answer> SendAsync(byte[] body, string @namespace = "words") =>
        _node.SendAsync(HttpMethod.Post, $"/v1/namespaces/{@namespace}/increments", body, BinaryBatch.MediaType);

    private async Task<long> ValueAsync(string @namespace, string name) =>
        (await _node.GetAsync($"/v1/namespaces/{@namespace}/counters/{name}")).Json.GetProperty("value").GetInt64();
}
