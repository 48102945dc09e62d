using System.Net.Sockets;
using System.Net.WebSockets;

namespace Sketch.Client;

/// <summary>
/// The connection below a WebSocket, whose writes may be held back until there are several: a call to the system costs a sender, and whoever receives, half as much as the batch in it.
/// One writer at a time.
/// </summary>
internal sealed class HeldStream : NetworkStream
{
    // With so many bytes nothing more is held back.
    private const int MostBytes = 64 << 10;

    private readonly byte[] _held = new byte[MostBytes];
    private int _length;

    /// <param name="socket">Connected.</param>
    public HeldStream(Socket socket)
        : base(socket, ownsSocket: true)
    {
    }

    /// <summary>Whether what is written from now on is held back until something is written that is not, or until it is too much.</summary>
    public bool IsHolding { get; set; }

    /// <summary>Connects a WebSocket over such a stream.</summary>
    /// <param name="socket">Not connected yet.</param>
    /// <param name="address">Where to.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What is below it.</returns>
    /// <exception cref="WebSocketException">Nobody is there, or says no.</exception>
    public static async Task<HeldStream> ConnectAsync(ClientWebSocket socket, Uri address, CancellationToken cancellationToken)
    {
        HeldStream? stream = null;
        using SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (context, giveUp) => stream = await ConnectAsync(context, giveUp).ConfigureAwait(false),
        };
        using HttpMessageInvoker invoker = new(handler);
        await socket.ConnectAsync(address, invoker, cancellationToken).ConfigureAwait(false);
        return stream!;
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_length + buffer.Length > MostBytes)
            await SendHeldAsync(cancellationToken).ConfigureAwait(false);
        if (buffer.Length > MostBytes || (_length == 0 && !IsHolding))
        {
            await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            return;
        }

        buffer.CopyTo(_held.AsMemory(_length));
        _length += buffer.Length;
        if (!IsHolding)
            await SendHeldAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask SendHeldAsync(CancellationToken cancellationToken)
    {
        int length = _length;
        _length = 0;
        if (length > 0)
            await base.WriteAsync(_held.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<HeldStream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return new HeldStream(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
