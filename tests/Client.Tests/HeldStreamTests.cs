using System.Net;
using System.Net.Sockets;
using Sketch.Client;

namespace Sketch.Tests.Client;

/// <summary>What is held back below a WebSocket.</summary>
public sealed class HeldStreamTests
{
    [Fact]
    public async Task What_is_held_leaves_with_the_first_write_that_is_not()
    {
        (HeldStream stream, Socket receiver) = await ConnectAsync();
        await using HeldStream sending = stream;
        using Socket receiving = receiver;
        stream.IsHolding = true;
        await stream.WriteAsync(new byte[] { 1, 2 });
        await stream.WriteAsync(new byte[] { 3 });
        Assert.Equal(0, receiver.Available);

        stream.IsHolding = false;
        await stream.WriteAsync(new byte[] { 4 });
        Assert.Equal([1, 2, 3, 4], await ReceiveAsync(receiver, 4));
        await stream.WriteAsync(new byte[] { 5 });
        Assert.Equal([5], await ReceiveAsync(receiver, 1));
    }

    [Theory]
    [InlineData(40_000, 40_000, 1)]
    [InlineData(65_535, 1, 1)]
    [InlineData(10, 65_536, 10)]
    [InlineData(10, 65_537, 10)]
    [InlineData(65_537, 65_537, 1)]
    public async Task More_than_can_be_held_arrives_in_order(params int[] lengths)
    {
        (HeldStream stream, Socket receiver) = await ConnectAsync();
        await using HeldStream sending = stream;
        using Socket receiving = receiver;
        byte[] all = new byte[lengths.Sum()];
        new Random(1).NextBytes(all);
        Task<byte[]> received = ReceiveAsync(receiver, all.Length);
        int at = 0;
        for (int i = 0; i < lengths.Length; at += lengths[i++])
        {
            stream.IsHolding = i < lengths.Length - 1;
            await stream.WriteAsync(all.AsMemory(at, lengths[i]));
        }

        Assert.Equal(all, await received);
    }

    private static async Task<(HeldStream Stream, Socket Receiver)> ConnectAsync()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Socket sender = new(SocketType.Stream, ProtocolType.Tcp);
        await sender.ConnectAsync(listener.LocalEndpoint);
        return (new HeldStream(sender), await listener.AcceptSocketAsync());
    }

    private static async Task<byte[]> ReceiveAsync(Socket receiver, int length)
    {
        byte[] received = new byte[length];
        using NetworkStream stream = new(receiver);
        await stream.ReadExactlyAsync(received).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        return received;
    }
}
