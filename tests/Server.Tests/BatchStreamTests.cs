using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text.Json;
using Sketch.Server.Streams;

namespace Sketch.Tests.Server;

/// <summary>Batch after batch on one connection.</summary>
public sealed class BatchStreamTests : IAsyncLifetime
{
    private NodeHost _node = null!;

    public async Task InitializeAsync()
    {
        _node = await NodeHost.StartAsync();
        await _node.PutAsync("/v1/namespaces/words", """{"durable":true}""");
    }

    public Task DisposeAsync() => _node.DisposeAsync().AsTask();

    [Fact]
    public async Task Batches_that_are_sent_without_waiting_are_each_answered_in_order_and_counted()
    {
        const int Batches = 500;
        using ClientWebSocket socket = await OpenAsync();
        Task sending = Task.Run(async () =>
        {
            for (int i = 1; i <= Batches; i++)
            {
                await SendAsync(socket, Server.Batches.Of("p", i, ["a", "b"], 2, [1, i], i == 1 ? ["a", "b"] : []));
            }
        });
        List<StreamAnswer> answers = await AnswersAsync(socket, Batches);
        await sending;

        Assert.All(answers, a => Assert.Equal((200, false, 2), (a.Status, a.IsDuplicate, a.Accepted)));
        Assert.Equal(answers.OrderBy(a => a.Position), answers);
        await CloseAsync(socket);
        await _node.WaitForValueAsync("words", "a", Batches);
        await _node.WaitForValueAsync("words", "b", Batches * (Batches + 1) / 2);
    }

    [Fact]
    public async Task A_retry_on_another_connection_is_a_duplicate_with_the_first_position()
    {
        byte[] batch = Server.Batches.Of("till-1", 7, ["a"], 1, [5], ["a"]);
        using ClientWebSocket first = await OpenAsync();
        await SendAsync(first, batch);
        StreamAnswer counted = (await AnswersAsync(first, 1))[0];
        first.Abort();
        using ClientWebSocket second = await OpenAsync();
        await SendAsync(second, batch);
        StreamAnswer again = (await AnswersAsync(second, 1))[0];

        Assert.Equal((200, true, counted.Position), (again.Status, again.IsDuplicate, again.Position));
        await _node.WaitForValueAsync("words", "a", 5);
    }

    [Fact]
    public async Task A_batch_that_is_refused_says_why_and_the_next_ones_are_counted()
    {
        using ClientWebSocket socket = await OpenAsync();
        await SendAsync(socket, Server.Batches.Of("", 0, ["a"], 8, [-1], ["a"]));
        await SendAsync(socket, "nonsense"u8.ToArray());
        await SendAsync(socket, Server.Batches.Of("", 0, ["a"], 8, [3], ["a"]));
        List<StreamAnswer> answers = await AnswersAsync(socket, 3);

        Assert.Equal([400, 400, 200], answers.Select(a => a.Status));
        Assert.Equal("deltas[0]", answers[0].Problem!.Value.GetProperty("field").GetString());
        Assert.Equal("body", answers[1].Problem!.Value.GetProperty("field").GetString());
        await _node.WaitForValueAsync("words", "a", 3);
    }

    [Fact]
    public async Task Names_get_numbers_once_and_keep_them_whatever_becomes_of_their_batch()
    {
        using ClientWebSocket socket = await OpenAsync();
        await SendAsync(socket, Server.Batches.OfNumbers("p", 1, [0, 1], 1, [1, 2], "a", "b"));
        await SendAsync(socket, Server.Batches.Of("p", 2, ["x"], 1, [3], ["x"])); // ids give no numbers
        await SendAsync(socket, Server.Batches.OfNumbers("p", 3, [0, 2], 8, [4, -1], "c")); // refused, c keeps its number
        await SendAsync(socket, Server.Batches.OfNumbers("p", 3, [0, 5], 1, [5, 6], "\u0001", "d", "e")); // refused in the middle of its names
        await SendAsync(socket, Server.Batches.OfNumbers("p", 3, [0, 6], 1, [7, 8], "f"));
        await SendAsync(socket, Server.Batches.OfNumbers("p", 4, [2], 1, [9])); // c was never counted
        await SendAsync(socket, Server.Batches.OfNumbers("p", 4, [3], 1, [9])); // and this is no name
        await SendAsync(socket, Server.Batches.OfNumbers("p", 4, [7, 7], 1, [10, 11], "c"));
        List<StreamAnswer> answers = await AnswersAsync(socket, 8);

        Assert.Equal([200, 200, 400, 400, 200, 400, 400, 200], answers.Select(a => a.Status));
        Assert.Equal(["deltas[1]", "names[0]", "numbers[0]", "numbers[0]"], answers.Where(a => a.Status == 400).Select(a => a.Problem!.Value.GetProperty("field").GetString()));
        await _node.WaitForValueAsync("words", "a", 1 + 7);
        await _node.WaitForValueAsync("words", "b", 2);
        await _node.WaitForValueAsync("words", "c", 10 + 11);
        await _node.WaitForValueAsync("words", "f", 8);
        Assert.Equal(404, (await _node.GetAsync("/v1/namespaces/words/counters/e")).Status);
    }

    [Fact]
    public async Task Numbers_follow_what_becomes_of_their_counters()
    {
        using ClientWebSocket socket = await OpenAsync();
        async Task<int> Send(int sequence, int delta, params string[] names)
        {
            await SendAsync(socket, Server.Batches.OfNumbers("p", sequence, [0], 8, [delta], names));
            return (await AnswersAsync(socket, 1))[0].Status;
        }

        Assert.Equal(200, await Send(1, 1, "a"));
        Assert.Equal(200, await Send(2, 1));
        Assert.Equal(400, await Send(3, -1));
        await _node.PutAsync("/v1/namespaces/words/counters/a", """{"tier":"strong"}""");
        Assert.Equal(200, await Send(3, -1)); // strong counters may shrink
        await _node.WaitForValueAsync("words", "a", 1);

        Assert.Equal(204, (await _node.SendAsync(HttpMethod.Delete, "/v1/namespaces/words/counters/a", (byte[]?)null)).Status);
        Assert.Equal(400, await Send(4, 1));
        await SendAsync(socket, Server.Batches.OfNumbers("p", 4, [1], 8, [5], "a"));
        Assert.Equal(200, (await AnswersAsync(socket, 1))[0].Status);
        Assert.Equal(200, await Send(5, 1)); // the number means the name
        await _node.WaitForValueAsync("words", "a", 6);
    }

    [Fact]
    public async Task What_was_sent_before_the_sender_went_is_counted_whole()
    {
        using (ClientWebSocket socket = await OpenAsync())
        {
            for (int i = 1; i <= 20; i++)
            {
                await SendAsync(socket, Server.Batches.Of("p", i, ["a"], 1, [1], ["a"]));
            }

            await CloseAsync(socket);
        }

        await _node.WaitForValueAsync("words", "a", 20);
    }

    [Fact]
    public async Task Text_and_messages_larger_than_a_batch_end_the_stream_with_a_reason()
    {
        using ClientWebSocket text = await OpenAsync();
        await text.SendAsync("{}"u8.ToArray(), WebSocketMessageType.Text, true, default);
        Assert.Equal((WebSocketCloseStatus.InvalidMessageType, "a message is text; allowed: binary messages, a batch each"), await EndAsync(text));

        using ClientWebSocket large = await OpenAsync();
        await SendAsync(large, new byte[(1 << 20) + 1]);
        Assert.Equal((WebSocketCloseStatus.MessageTooBig, "a message has more than 1048576 bytes; send several batches"), await EndAsync(large));
    }

    [Theory]
    [InlineData("nowhere", BatchStream.Protocol, null, 404)]
    [InlineData("words", "chat", null, 400)]
    [InlineData("words", BatchStream.Protocol, "http://evil.example", 403)]
    public async Task A_stream_that_is_not_allowed_is_refused_before_it_begins(string @namespace, string protocol, string? origin, int status)
    {
        using ClientWebSocket socket = new();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.AddSubProtocol(protocol);
        socket.Options.SetRequestHeader("Origin", origin);
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(Address(@namespace), default));
        Assert.Equal(status, (int)socket.HttpStatusCode);
    }

    [Fact]
    public async Task A_plain_request_is_told_to_upgrade() =>
        (await _node.GetAsync("/v1/namespaces/words/increments/stream")).IsProblem(426, "Upgrade", "empty", "websocket");

    private Uri Address(string @namespace) => new UriBuilder(_node.Node.Http) { Scheme = "ws", Path = $"/v1/namespaces/{@namespace}/increments/stream" }.Uri;

    private async Task<ClientWebSocket> OpenAsync()
    {
        ClientWebSocket socket = new();
        socket.Options.AddSubProtocol(BatchStream.Protocol);
        await socket.ConnectAsync(Address("words"), default);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, byte[] batch) => socket.SendAsync(batch, WebSocketMessageType.Binary, true, default);

    private static async Task CloseAsync(ClientWebSocket socket)
    {
        using CancellationTokenSource deadline = new(NodeHost.Deadline);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, deadline.Token);
    }

    private static async Task<(WebSocketCloseStatus?, string?)> EndAsync(ClientWebSocket socket)
    {
        using CancellationTokenSource deadline = new(NodeHost.Deadline);
        while ((await socket.ReceiveAsync(new byte[1024], deadline.Token)).MessageType != WebSocketMessageType.Close)
        {
        }

        return (socket.CloseStatus, socket.CloseStatusDescription);
    }

    private static async Task<List<StreamAnswer>> AnswersAsync(ClientWebSocket socket, int count)
    {
        using CancellationTokenSource deadline = new(NodeHost.Deadline);
        List<StreamAnswer> answers = [];
        byte[] buffer = new byte[64 << 10];
        int length = 0;
        while (answers.Count < count)
        {
            length += (await socket.ReceiveAsync(buffer.AsMemory(length), deadline.Token)).Count;
            int at = 0;
            for (; BatchAnswer.TryRead(buffer.AsSpan(at, length - at), out int status, out int bytes); at += bytes)
            {
                ReadOnlySpan<byte> answer = buffer.AsSpan(at, bytes);
                answers.Add(new StreamAnswer(
                    status, answer[2] == 1, BinaryPrimitives.ReadInt32LittleEndian(answer[4..]), BinaryPrimitives.ReadInt64LittleEndian(answer[8..]),
                    bytes == BatchAnswer.HeaderBytes ? null : JsonDocument.Parse(answer[BatchAnswer.HeaderBytes..].ToArray()).RootElement));
            }

            buffer.AsSpan(at, length - at).CopyTo(buffer);
            length -= at;
        }

        return answers;
    }

    private sealed record StreamAnswer(int Status, bool IsDuplicate, int Accepted, long Position, JsonElement? Problem);
}
