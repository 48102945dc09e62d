using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Sketch.Server.Commands.Bench;

/// <summary>
/// A dashboard as cheap as it can be: a socket that speaks as much WebSocket and SignalR (MessagePack) as a subscription needs, and looks at arriving frames as
/// bytes. Ten thousand of a client library's connections would take more of the machine than the node that is measured.
/// </summary>
internal sealed class DashboardConnection : IDisposable
{
    private const byte Final = 0x80;
    private const byte FinalBinary = Final | 2;
    private const byte Masked = 0x80;

    // SignalR's ping, as a masked WebSocket message; the mask is zero, so that the bytes are what they are.
    private static readonly byte[] Ping = [FinalBinary, Masked | 3, 0, 0, 0, 0, 2, 0x91, 6];

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly ArrayBufferWriter<byte> _begun = new();
    private byte[] _buffer = new byte[8 << 10];
    private int _length;

    private DashboardConnection()
    {
    }

    /// <summary>Connects and says which protocol it speaks.</summary>
    /// <param name="node">Where the hub is.</param>
    /// <param name="path">The hub's path.</param>
    /// <param name="receiveBytes">The kernel's buffer, for those who are not going to read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<DashboardConnection> OpenAsync(Uri node, string path, int? receiveBytes, CancellationToken cancellationToken)
    {
        DashboardConnection connection = new();
        if (receiveBytes is { } bytes)
            connection._socket.ReceiveBufferSize = bytes;
        await connection._socket.ConnectAsync(node.Host, node.Port, cancellationToken).ConfigureAwait(false);
        await connection._socket.SendAsync(
            Encoding.ASCII.GetBytes(
                $"GET {path} HTTP/1.1\r\nHost: {node.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"),
            cancellationToken).ConfigureAwait(false);
        int end;
        while ((end = connection._buffer.AsSpan(0, connection._length).IndexOf("\r\n\r\n"u8)) < 0)
            await connection.ReceiveAsync(cancellationToken).ConfigureAwait(false);
        if (!connection._buffer.AsSpan().StartsWith("HTTP/1.1 101 "u8))
            throw new CommandException($"the node does not open the hub: {Encoding.UTF8.GetString(connection._buffer, 0, end)}");
        connection.Take(end + 4);
        await connection.SendAsync(Encoding.ASCII.GetBytes("{\"protocol\":\"messagepack\",\"version\":1}\u001e"), cancellationToken).ConfigureAwait(false);
        return connection;
    }

    /// <summary>Calls a method of the hub with one argument.</summary>
    public Task CallAsync(string method, ReadOnlySpan<byte> argument, CancellationToken cancellationToken)
    {
        // [1, {}, "1", method, [argument], []]
        byte[] name = Encoding.ASCII.GetBytes(method);
        byte[] message = [0x96, 1, 0x80, 0xa1, (byte)'1', (byte)(0xa0 | name.Length), .. name, 0x91, .. argument, 0x90];
        List<byte> framed = [];
        int rest = message.Length;
        do
        {
            framed.Add((byte)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)));
            rest >>= 7;
        }
        while (rest > 0);
        framed.AddRange(message);
        return SendAsync([.. framed], cancellationToken);
    }

    /// <summary>Keeps the node from thinking that it is gone.</summary>
    public async Task PingAsync(CancellationToken cancellationToken) => await _socket.SendAsync(Ping, cancellationToken).ConfigureAwait(false);

    /// <summary>Reads until cancelled, or closed by the node.</summary>
    /// <returns>False when the node closed.</returns>
    public async Task<bool> DrainAsync(Action<ReadOnlySpan<byte>, int> taken, CancellationToken cancellationToken)
    {
        while (true)
        {
            int size;
            while ((size = FrameSize(_buffer.AsSpan(0, _length), out int header)) >= 0 && _length >= size)
            {
                if ((_buffer[0] & 0x0f) == 8)
                    return false;
                if ((_buffer[0] & 0x0f) < 3)
                    Fragment(_buffer.AsSpan(header, size - header), isLast: (_buffer[0] & Final) != 0, taken);
                Take(size);
            }

            if (!await ReceiveAsync(cancellationToken).ConfigureAwait(false))
                return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    // -1 while the header is not there.
    private static int FrameSize(ReadOnlySpan<byte> bytes, out int header)
    {
        header = 2;
        if (bytes.Length < 2)
            return -1;
        int length = bytes[1] & 0x7f;
        header = length switch { 126 => 4, 127 => 10, _ => 2 };
        if (bytes.Length < header)
            return -1;
        return header + length switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            127 => checked((int)BinaryPrimitives.ReadUInt64BigEndian(bytes[2..])),
            _ => length,
        };
    }

    // SignalR sends what lies across two of its buffers as two fragments of one message.
    private void Fragment(ReadOnlySpan<byte> payload, bool isLast, Action<ReadOnlySpan<byte>, int> taken)
    {
        if (isLast && _begun.WrittenCount == 0)
        {
            Messages(payload, taken);
            return;
        }

        _begun.Write(payload);
        if (isLast)
        {
            Messages(_begun.WrittenSpan, taken);
            _begun.ResetWrittenCount();
        }
    }

    private static void Messages(ReadOnlySpan<byte> payload, Action<ReadOnlySpan<byte>, int> taken)
    {
        // The answer to the handshake is text: {} and a separator.
        if (payload.StartsWith("{"u8))
            payload = payload[(payload.IndexOf((byte)0x1e) + 1)..];
        while (!payload.IsEmpty)
        {
            int length = 0;
            int at = 0;
            do
                length |= (payload[at] & 0x7f) << (7 * at);
            while ((payload[at++] & 0x80) != 0);
            ReadOnlySpan<byte> message = payload.Slice(at, length);
            if (message[1] == 1)
                taken(message, at + length);
            payload = payload[(at + length)..];
        }
    }

    private async Task SendAsync(byte[] payload, CancellationToken cancellationToken)
    {
        byte[] length = payload.Length < 126
            ? [(byte)(Masked | payload.Length)]
            : [Masked | 126, (byte)(payload.Length >> 8), (byte)payload.Length];
        byte[] frame = [FinalBinary, .. length, 0, 0, 0, 0, .. payload];
        for (ReadOnlyMemory<byte> rest = frame; !rest.IsEmpty;)
            rest = rest[await _socket.SendAsync(rest, cancellationToken).ConfigureAwait(false)..];
    }

    private async ValueTask<bool> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (_length == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        int received = await _socket.ReceiveAsync(_buffer.AsMemory(_length), cancellationToken).ConfigureAwait(false);
        _length += received;
        return received > 0;
    }

    private void Take(int count)
    {
        _buffer.AsSpan(count, _length - count).CopyTo(_buffer);
        _length -= count;
    }
}
