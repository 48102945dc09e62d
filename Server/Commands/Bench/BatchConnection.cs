using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Bench;

/// <summary>
/// One HTTP/1.1 connection that sends binary batches as cheaply as a client can: ids and deltas go from their arrays to the socket, answers are looked at as bytes. A
/// load generator that shares its cores with the node must take little of them.
/// </summary>
internal sealed class BatchConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _answer = new byte[16 << 10];
    private readonly byte[] _producer;
    private readonly string _path;
    private readonly List<ArraySegment<byte>> _parts = [];
    private int _answerLength;
    private byte[] _head = [];
    private int _headFor = -1;
    private int _sequenceAt;
    private long _sequence;

    private BatchConnection(string @namespace, string producer)
    {
        _path = $"/v1/namespaces/{@namespace}/increments";
        _producer = Encoding.UTF8.GetBytes(producer);
    }

    /// <summary>Connects.</summary>
    public static async Task<BatchConnection> OpenAsync(Uri node, string @namespace, string producer, CancellationToken cancellationToken)
    {
        BatchConnection connection = new(@namespace, producer);
        await connection._socket.ConnectAsync(node.Host, node.Port, cancellationToken).ConfigureAwait(false);
        return connection;
    }

    /// <summary>Sends one batch and waits for its acknowledgement; a busy node is asked again.</summary>
    /// <param name="ids">The ids, in an array.</param>
    /// <param name="width">Bytes of a delta.</param>
    /// <param name="deltas">The column of deltas.</param>
    /// <param name="names">Names to declare.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CommandException">The node refused the batch or closed the connection.</exception>
    public async ValueTask SendAsync(
        ReadOnlyMemory<byte> ids, int width, ReadOnlyMemory<byte> deltas, IReadOnlyList<byte[]> names, CancellationToken cancellationToken)
    {
        if (await OfferAsync(ids, width, deltas, names, cancellationToken).ConfigureAwait(false) is var status and not 200)
            throw new CommandException($"the node answered {status} to a batch: {Encoding.UTF8.GetString(_answer, 0, _answerLength)}");
    }

    /// <summary>The same, for batches that the node may refuse.</summary>
    /// <returns>The answer's status; what it says otherwise stays unread.</returns>
    public async ValueTask<int> OfferAsync(
        ReadOnlyMemory<byte> ids, int width, ReadOnlyMemory<byte> deltas, IReadOnlyList<byte[]> names, CancellationToken cancellationToken)
    {
        _sequence++;
        while (true)
        {
            Prepare(ids, width, deltas, names);
            int sent = await _socket.SendAsync(_parts).ConfigureAwait(false);
            if (sent != _parts.Sum(p => p.Count))
                await SendRestAsync(sent, cancellationToken).ConfigureAwait(false);
            int status = await ReadAnswerAsync(cancellationToken).ConfigureAwait(false);
            if (status != 429 || !IsBusy())
                return status;
            await Task.Delay(1, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private bool IsBusy() => _answer.AsSpan(0, _answerLength).IndexOf(":busy\""u8) >= 0;

    private void Prepare(ReadOnlyMemory<byte> ids, int width, ReadOnlyMemory<byte> deltas, IReadOnlyList<byte[]> names)
    {
        _parts.Clear();
        byte[]? named = names.Count == 0 ? null : Names(names);
        int body = BinaryBatch.HeaderBytes + ((_producer.Length + 7) & ~7) + ids.Length + deltas.Length + (named?.Length ?? 0);
        if (body != _headFor)
            MakeHead(body, ids.Length / sizeof(ulong), width, names.Count);
        BinaryPrimitives.WriteInt64LittleEndian(_head.AsSpan(_sequenceAt), _sequence);
        _parts.Add(_head);
        Add(ids);
        if (!deltas.IsEmpty)
            Add(deltas);
        if (named is not null)
            _parts.Add(named);
    }

    private void MakeHead(int body, int count, int width, int names)
    {
        byte[] http = Encoding.ASCII.GetBytes(
            $"POST {_path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {BinaryBatch.MediaType}\r\nContent-Length: {body}\r\n\r\n");
        System.Buffers.ArrayBufferWriter<byte> writer = new();
        BinaryBatch.WriteHead(writer, _producer, 0, count, width, names);
        _head = [.. http, .. writer.WrittenSpan];
        _sequenceAt = http.Length + 8;
        _headFor = body;
    }

    private void Add(ReadOnlyMemory<byte> bytes)
    {
        if (!MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> segment))
            segment = bytes.ToArray();
        _parts.Add(segment);
    }

    /// <summary>Names as a batch declares them.</summary>
    public static byte[] Names(IReadOnlyList<byte[]> names)
    {
        byte[] all = new byte[names.Sum(n => n.Length + 2)];
        Span<byte> into = all;
        foreach (byte[] name in names)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(into, (ushort)name.Length);
            name.CopyTo(into[2..]);
            into = into[(2 + name.Length)..];
        }

        return all;
    }

    private async ValueTask SendRestAsync(int sent, CancellationToken cancellationToken)
    {
        foreach (ArraySegment<byte> part in _parts)
        {
            int skip = Math.Min(sent, part.Count);
            sent -= skip;
            for (ReadOnlyMemory<byte> rest = part.AsMemory(skip); !rest.IsEmpty;)
                rest = rest[await _socket.SendAsync(rest, cancellationToken).ConfigureAwait(false)..];
        }
    }

    private async ValueTask<int> ReadAnswerAsync(CancellationToken cancellationToken)
    {
        int length = 0;
        while (true)
        {
            int read = await _socket.ReceiveAsync(_answer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                throw new CommandException("the node closed the connection");
            length += read;
            if (HttpAnswer.TryParse(_answer.AsSpan(0, length), out int status))
            {
                _answerLength = length;
                return status;
            }
        }
    }
}
