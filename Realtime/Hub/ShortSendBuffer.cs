using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Sketch.Realtime.Hub;

/// <summary>
/// The kernel takes megabytes for a connection before it says that the other side is slow, and those would be read as old news later. On
/// Linux a connection can be told to say so as soon as little is waiting to be sent; then the newest frame is chosen late instead.
/// </summary>
public static class ShortSendBuffer
{
    /// <summary>Enough to keep a fast link busy between two rounds of the event loop.</summary>
    private const int MaxUnsentBytes = 64 * 1024;

    private const int TcpLevel = 6;
    private const int TcpNotSentLowWater = 25;

    internal static void Use(EndpointBuilder endpoint)
    {
        var next = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = context =>
        {
            Shorten(context);
            return next(context);
        };
    }

    /// <summary>Tells the connection of a request that has the newest values to send.</summary>
    public static void Shorten(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!OperatingSystem.IsLinux() || context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            return;
        try
        {
            socket.SetRawSocketOption(TcpLevel, TcpNotSentLowWater, BitConverter.GetBytes(MaxUnsentBytes));
        }
        catch (SocketException)
        {
            // Not a TCP socket: frames are as fresh as its own buffer lets them be.
        }
    }
}
