using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Sketch.Server.Commands.Bench;

/// <summary>
/// A dashboard as cheap as it can be: a socket that speaks as much WebSocket and SignalR (MessagePack) as a subscription needs, and looks at arriving frames as
/// bytes. Ten thousand of a client library's connections would take more of the machine than the node that is measured. It never asks .NET to wait for its socket, so that
/// <see cref="SocketPoll"/> is the only one that is woken by it.
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
    public static Task<DashboardConnection> OpenAsync(Uri node, string path, int? receiveBytes, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            DashboardConnection connection = new();
            using CancellationTokenRegistration givesUp = cancellationToken.Register(connection.Dispose);
            try
            {
                connection.Open(node, path, receiveBytes);
                return connection;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                connection.Dispose();
                cancellationToken.ThrowIfCancellationRequested();
                throw;
            }
        },
        cancellationToken);

    /// <summary>Calls a method of the hub with one argument.</summary>
    public void Call(string method, ReadOnlySpan<byte> argument)
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
        Send([.. framed]);
    }

    /// <summary>Keeps the node from thinking that it is gone.</summary>
    public void SendPing()
    {
        try
        {
            _socket.Send(Ping);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The node closed it: who reads it counts that.
        }
    }

    /// <summary>Reads until cancelled, or closed by the node.</summary>
    /// <param name="taken">Called, in a thread that all connections share, with each message of the hub.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False when the node closed.</returns>
    public async Task<bool> DrainAsync(Action<ReadOnlySpan<byte>, int> taken, CancellationToken cancellationToken)
    {
        TaskCompletionSource<bool> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration cancelled = cancellationToken.Register(() => end.TrySetCanceled(cancellationToken));
        if (!Take(taken))
            return false;
        int socket = (int)_socket.Handle;
        SocketPoll.Shared.Watch(socket, () =>
        {
            try
            {
                if (!end.Task.IsCompleted && !(Receive() && Take(taken)))
                    end.TrySetResult(false);
            }
#pragma warning disable CA1031 // It belongs to who waits for this connection: the others are read on.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                end.TrySetException(failure);
            }

            if (end.Task.IsCompleted)
                SocketPoll.Shared.Remove(socket);
        });
        try
        {
            return await end.Task.ConfigureAwait(false);
        }
        finally
        {
            SocketPoll.Shared.Remove(socket);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Before the number of its handle is another's.
        if (!_socket.SafeHandle.IsClosed)
            SocketPoll.Shared.Remove((int)_socket.Handle);
        _socket.Dispose();
    }

    private void Open(Uri node, string path, int? receiveBytes)
    {
        if (receiveBytes is { } bytes)
            _socket.ReceiveBufferSize = bytes;
        _socket.Connect(node.Host, node.Port);
        _socket.Send(Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: {node.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
        int end;
        while ((end = _buffer.AsSpan(0, _length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (!Receive())
                throw new CommandException("the node closes the connection instead of opening the hub");
        }

        if (!_buffer.AsSpan().StartsWith("HTTP/1.1 101 "u8))
            throw new CommandException($"the node does not open the hub: {Encoding.UTF8.GetString(_buffer, 0, end)}");
        Drop(end + 4);
        Send(Encoding.ASCII.GetBytes("{\"protocol\":\"messagepack\",\"version\":1}\u001e"));
    }

    // What has arrived whole; false when the node closed.
    private bool Take(Action<ReadOnlySpan<byte>, int> taken)
    {
        int size;
        while ((size = FrameSize(_buffer.AsSpan(0, _length), out int header)) >= 0 && _length >= size)
        {
            if ((_buffer[0] & 0x0f) == 8)
                return false;
            if ((_buffer[0] & 0x0f) < 3)
                Fragment(_buffer.AsSpan(header, size - header), isLast: (_buffer[0] & Final) != 0, taken);
            Drop(size);
        }

        return true;
    }

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

    private void Send(byte[] payload)
    {
        byte[] length = payload.Length < 126
            ? [(byte)(Masked | payload.Length)]
            : [Masked | 126, (byte)(payload.Length >> 8), (byte)payload.Length];
        _socket.Send([FinalBinary, .. length, 0, 0, 0, 0, .. payload]);
    }

    private bool Receive()
    {
        if (_length == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        int received = _socket.Receive(_buffer.AsSpan(_length));
        _length += received;
        return received > 0;
    }

    private void Drop(int count)
    {
        _buffer.AsSpan(count, _length - count).CopyTo(_buffer);
        _length -= count;
    }
}
