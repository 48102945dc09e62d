using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Sketch.Client;

/// <summary>One connection over which batches go and their answers come, in the same order.</summary>
internal sealed class BatchLink(string @namespace, byte[] producer, HashSet<string> known) : IDisposable
{
    private const string Protocol = "sketch.batches.v1";
    private const int AnswerBytes = 24;

    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ArrayBufferWriter<byte> _message = new(64 << 10);
    private readonly Queue<CountedBatch> _unanswered = new();
    private HeldStream? _stream;

    /// <summary>Connects.</summary>
    /// <exception cref="IncrementRefusedException">The node is there and says no.</exception>
    /// <exception cref="WebSocketException">It is not there.</exception>
    public async Task OpenAsync(Uri node, CancellationToken cancellationToken)
    {
        UriBuilder address = new(node) { Scheme = node.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs };
        address.Path = $"{address.Path.TrimEnd('/')}/v1/namespaces/{Uri.EscapeDataString(@namespace)}/increments/stream";
        _socket.Options.AddSubProtocol(Protocol);
        _socket.Options.CollectHttpResponseDetails = true;
        try
        {
            _stream = await HeldStream.ConnectAsync(_socket, address.Uri, cancellationToken).ConfigureAwait(false);
        }
        catch (WebSocketException) when (_socket.HttpStatusCode is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests)
        {
            throw new IncrementRefusedException((int)_socket.HttpStatusCode, 0, $"The node answers {(int)_socket.HttpStatusCode} to {address.Uri}: is there a namespace '{@namespace}'?");
        }
    }

    /// <summary>Sends a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="isMoreAtOnce">Whether the caller sends another right afterwards, whatever happens: they leave together.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task SendAsync(CountedBatch batch, bool isMoreAtOnce, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _message.ResetWrittenCount();
            lock (known)
                batch.Write(_message, @namespace, producer, known);
            lock (_unanswered)
                _unanswered.Enqueue(batch);
            _stream!.IsHolding = isMoreAtOnce;
            await _socket.SendAsync(_message.WrittenMemory, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Reads answers until the connection ends.</summary>
    /// <param name="answered">Takes each: the batch, the status, and the node's words when it was not counted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task ReadAsync(Func<CountedBatch, int, JsonElement?, Task> answered, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[16 << 10];
        int length = 0;
        while (true)
        {
            if (length == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            ValueWebSocketReceiveResult got = await _socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (got.MessageType == WebSocketMessageType.Close)
                throw new WebSocketException($"The node closed the connection: {_socket.CloseStatusDescription}");
            length += got.Count;
            int at = 0;
            while (TryTake(buffer.AsSpan(at, length - at), out int status, out JsonElement? problem, out int bytes))
            {
                at += bytes;
                CountedBatch batch;
                lock (_unanswered)
                    batch = _unanswered.Dequeue();
                await answered(batch, status, problem).ConfigureAwait(false);
            }

            buffer.AsSpan(at, length - at).CopyTo(buffer);
            length -= at;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _sending.Dispose();
    }

    private static bool TryTake(ReadOnlySpan<byte> bytes, out int status, out JsonElement? problem, out int length)
    {
        (status, problem, length) = (0, null, 0);
        if (bytes.Length < AnswerBytes)
            return false;
        status = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        int said = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        if (bytes.Length < AnswerBytes + said)
            return false;
        length = AnswerBytes + said;
        if (said > 0)
            problem = JsonSerializer.Deserialize<JsonElement>(Encoding.UTF8.GetString(bytes[AnswerBytes..length]));
        return true;
    }
}
