using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using Sketch.Client;
using Sketch.Server.Rest;
using Sketch.Server.Streams;

namespace Sketch.Server.Commands.Bench;

/// <summary>One stream of batches with several on their way. The node's answers are read beside it.</summary>
internal sealed class StreamConnection : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly ArrayBufferWriter<byte> _message = new(64 << 10);
    private readonly SemaphoreSlim _room = new(BatchStream.MaxUnanswered);
    private readonly Queue<int> _unanswered = new();
    private readonly byte[] _producer;
    private readonly Action<int> _counted;
    private HeldStream? _stream;
    private Task _reading = Task.CompletedTask;
    private long _sequence;

    private StreamConnection(string producer, Action<int> counted)
    {
        _producer = Encoding.UTF8.GetBytes(producer);
        _counted = counted;
        _socket.Options.AddSubProtocol(BatchStream.Protocol);
    }

    /// <summary>Connects.</summary>
    /// <param name="node">The node.</param>
    /// <param name="namespace">Where to count.</param>
    /// <param name="producer">Who counts.</param>
    /// <param name="counted">Told how many increments each acknowledgement is for.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<StreamConnection> OpenAsync(Uri node, string @namespace, string producer, Action<int> counted, CancellationToken cancellationToken)
    {
        StreamConnection connection = new(producer, counted);
        UriBuilder address = new(node) { Scheme = "ws", Path = $"/v1/namespaces/{@namespace}/increments/stream" };
        connection._stream = await HeldStream.ConnectAsync(connection._socket, address.Uri, cancellationToken).ConfigureAwait(false);
        connection._reading = connection.ReadAsync(cancellationToken);
        return connection;
    }

    /// <summary>Sends a batch once there is room for one more on the way; another one, or <see cref="FinishAsync"/>, follows at once.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="width">Bytes of a delta.</param>
    /// <param name="deltas">The column of deltas.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CommandException">The node refused a batch, for another reason than that it is busy.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> ids, int width, ReadOnlyMemory<byte> deltas, CancellationToken cancellationToken) =>
        SendAsync(BinaryBatch.Ids, ids.Length / sizeof(ulong), ids, width, deltas, default, 0, isMoreAtOnce: true, cancellationToken);

    /// <summary>The same, with numbers of names.</summary>
    /// <param name="numbers">The column of numbers.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="width">Bytes of a delta.</param>
    /// <param name="deltas">The column of deltas.</param>
    /// <param name="names">The names that get the next numbers.</param>
    /// <param name="named">How many those are.</param>
    /// <param name="isMoreAtOnce">Whether another one, or <see cref="FinishAsync"/>, follows at once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CommandException">The node refused a batch, for another reason than that it is busy.</exception>
    public ValueTask SendNumbersAsync(
        ReadOnlyMemory<byte> numbers, int count, int width, ReadOnlyMemory<byte> deltas, ReadOnlyMemory<byte> names, int named, bool isMoreAtOnce, CancellationToken cancellationToken) =>
        SendAsync(BinaryBatch.Numbers, count, numbers, width, deltas, names, named, isMoreAtOnce, cancellationToken);

    private async ValueTask SendAsync(
        int encoding, int count, ReadOnlyMemory<byte> counters, int width, ReadOnlyMemory<byte> deltas, ReadOnlyMemory<byte> names, int named, bool isMoreAtOnce, CancellationToken cancellationToken)
    {
        if (_reading.IsCompleted)
            await _reading.ConfigureAwait(false);
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        _message.ResetWrittenCount();
        BinaryBatch.WriteHead(_message, _producer, ++_sequence, count, width, named, encoding);
        _message.Write(counters.Span);
        _message.Write(deltas.Span);
        _message.Write(names.Span);
        lock (_unanswered)
            _unanswered.Enqueue(count);
        _stream!.IsHolding = isMoreAtOnce && _room.CurrentCount > 0;
        await _socket.SendAsync(_message.WrittenMemory, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until every batch is answered; nobody may send meanwhile.</summary>
    public async Task AnsweredAsync(CancellationToken cancellationToken)
    {
        for (int i = 0; i < BatchStream.MaxUnanswered; i++)
            await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        _room.Release(BatchStream.MaxUnanswered);
    }

    /// <summary>Waits for the answers that are missing, and closes the connection.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        _stream!.IsHolding = false;
        await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken).ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _room.Dispose();
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[64 << 10];
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult got = await _socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (got.MessageType == WebSocketMessageType.Close)
                return;
            length += got.Count;
            length -= Take(buffer.AsSpan(0, length));
        }
    }

    private int Take(Span<byte> bytes)
    {
        int at = 0;
        while (BatchAnswer.TryRead(bytes[at..], out int status, out int length))
        {
            int count;
            lock (_unanswered)
                count = _unanswered.Dequeue();
            if (status == StatusCodes.Status200OK)
                _counted(count);
            else if (status != StatusCodes.Status429TooManyRequests)
                throw new CommandException($"the node answered {status} to a batch: {Encoding.UTF8.GetString(bytes.Slice(at + BatchAnswer.HeaderBytes, length - BatchAnswer.HeaderBytes))}");
            _room.Release();
            at += length;
        }

        bytes[at..].CopyTo(bytes);
        return at;
    }
}
