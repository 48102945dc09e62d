using System.Buffers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

/// <summary>Memory is the process's: nobody else may run meanwhile.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class SlowClientTests
{
    private const int Counters = 500;
    private const int Rounds = 300;

    [Theory]
    [InlineData("Subscribe", 1)]
    [InlineData("Watch", 4)]
    public async Task A_client_that_stops_reading_costs_bounded_memory_and_resumes_with_the_newest(string method, int messageType)
    {
        await using var host = await LiveHost.StartAsync();
        string[] names = [.. Enumerable.Range(0, Counters).Select(i => $"counter-{i:d4}")];
        SetAll(host, names, 0);
        await using var healthy = host.Watch(LiveClient.Watching(names[0]));
        Assert.True(await healthy.MoveNextAsync());

        using var slow = await OpenAsync(host);
        await SendAsync(slow, """{"protocol":"json","version":1}""");
        await SendAsync(slow, JsonSerializer.Serialize(new
        {
            type = messageType,
            invocationId = "1",
            target = method,
            arguments = new object[] { new { @namespace = MemoryReader.Namespace, names, intervalMs = 50 } },
        }));
        await Eventually.TrueAsync(() => host.Reader.Reads.Any(read => read.Length == Counters), "the slow client's first values to be read");

        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int round = 1; round <= Rounds; round++)
        {
            SetAll(host, names, round);
            var next = healthy.MoveNextAsync();
            await host.TickAsync();
            Assert.True(await next);
            var frame = healthy.Current;
            Assert.Equal((round, 0L), (frame.Values.Single().Value, frame.Skipped));
        }

        // Every frame queued would be some 100 kB each, 30 MB; what may remain are the socket's own buffers.
        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(grown, long.MinValue, 8_000_000);

        // It reads again: what the sockets held arrives first, then the newest values, numbered without a gap.
        using var caughtUp = new CancellationTokenSource();
        var ticking = TickAsync(host, caughtUp.Token);
        var frames = await ReadUntilAsync(slow, Rounds);
        await caughtUp.CancelAsync();
        await ticking;
        Assert.Equal(Enumerable.Range(1, frames.Count).Select(number => (long)number), frames.Select(frame => frame.Number));
        long skipped = frames.Sum(frame => frame.Skipped);

        // Old news that it has to read first: what the sockets' buffers held (35 frames, before the kernel was told to hold less).
        if (OperatingSystem.IsLinux())
            Assert.InRange(frames.Count, 2, 8);
        Assert.True(skipped > Rounds / 3, $"{skipped} frames skipped");
        Assert.Equal((frames[^1].AsOf - frames[0].AsOf).TotalMilliseconds / RealtimeLimits.MinIntervalMs, skipped + frames.Count - 1);
    }

    private static void SetAll(LiveHost host, string[] names, int value) => Array.ForEach(names, name => host.Reader.Set(name, value));

    private static async Task<ClientWebSocket> OpenAsync(LiveHost host)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 16 * 1024 };
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        var client = new ClientWebSocket();
        await client.ConnectAsync(
            new Uri($"ws://{host.Url.Authority}{RealtimeEndpointExtensions.HubPath}"), new HttpMessageInvoker(handler), CancellationToken.None);
        return client;
    }

    private static Task SendAsync(ClientWebSocket socket, string message) => socket.SendAsync(
        Encoding.UTF8.GetBytes(message + '\u001e'), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private static async Task TickAsync(LiveHost host, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
            await host.TickAsync();
    }

    /// <summary>Reads until a value has arrived; returns every frame up to there.</summary>
    private static async Task<List<CounterFrame>> ReadUntilAsync(ClientWebSocket socket, long value)
    {
        using var deadline = new CancellationTokenSource(Eventually.Deadline);
        var frames = new List<CounterFrame>();
        var received = new ArrayBufferWriter<byte>();
        while (true)
        {
            var part = await socket.ReceiveAsync(received.GetMemory(64 * 1024), deadline.Token);
            received.Advance(part.Count);
            int end;
            while ((end = received.WrittenSpan.IndexOf((byte)0x1e)) >= 0)
            {
                using var message = JsonDocument.Parse(received.WrittenMemory[..end]);
                byte[] rest = received.WrittenSpan[(end + 1)..].ToArray();
                received.ResetWrittenCount();
                received.Write(rest);
                if (FrameOf(message.RootElement)?.Deserialize<CounterFrame>(JsonSerializerOptions.Web) is not { } frame)
                    continue;
                frames.Add(frame);
                if (frame.Values.Any(v => v.Value == value))
                    return frames;
            }
        }
    }

    private static JsonElement? FrameOf(JsonElement message) =>
        !message.TryGetProperty("type", out var type) ? null : type.GetInt32() switch
        {
            1 => message.GetProperty("arguments")[0],
            2 => message.GetProperty("item"),
            3 => message.GetProperty("result").GetProperty("snapshot"),
            _ => null,
        };
}
