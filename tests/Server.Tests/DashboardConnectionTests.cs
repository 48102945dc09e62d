using System.Net;
using System.Net.Sockets;
using Sketch.Server.Commands.Bench;

namespace Sketch.Tests.Server;

public sealed class DashboardConnectionTests
{
    [Fact]
    public async Task A_message_in_fragments_is_read_as_one_whole()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        using TcpListener hub = new(IPAddress.Loopback, 0);
        hub.Start();
        Task<DashboardConnection> opening = DashboardConnection.OpenAsync(new Uri($"http://{hub.LocalEndpoint}"), "/hub", null, patience.Token);
        using Socket node = await hub.AcceptSocketAsync(patience.Token);
        await node.SendAsync("HTTP/1.1 101 Switching Protocols\r\n\r\n"u8.ToArray(), patience.Token);
        using DashboardConnection connection = await opening;

        // [1, {}, nil, "x", [7]]: begun as binary, a ping between, continued, closed by the close frame.
        byte[] message = [7, 0x95, 1, 0x80, 0xc0, 0xa1, (byte)'x', 0x07];
        await node.SendAsync((byte[])[0x02, 3, .. message[..3], 0x89, 0, 0x00, 2, .. message[3..5], 0x80, 3, .. message[5..], 0x88, 0], patience.Token);

        List<byte[]> read = [];
        Assert.False(await connection.DrainAsync((bytes, _) => read.Add(bytes.ToArray()), patience.Token));
        Assert.Equal(message[1..], Assert.Single(read));
    }
}
