using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using MessagePack;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;

namespace Sketch.Realtime.Hub;

/// <summary>
/// SignalR's MessagePack. Messages with a frame, which are nearly all, are put together from the bytes that its values already have, in one piece: what lies across two
/// buffers would leave in two WebSocket fragments, with a call of the kernel for each.
/// </summary>
internal sealed class FrameProtocol : IHubProtocol
{
    private const byte Invocation = 1;
    private const byte StreamItem = 2;
    private const byte EmptyArray = 0x90;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _head;

    private readonly MessagePackHubProtocol _plain = new(Options.Create(new MessagePackHubProtocolOptions { SerializerOptions = LiveFormats.Shared }));

    /// <inheritdoc/>
    public string Name => _plain.Name;

    /// <inheritdoc/>
    public int Version => _plain.Version;

    /// <inheritdoc/>
    public TransferFormat TransferFormat => _plain.TransferFormat;

    /// <inheritdoc/>
    public bool IsVersionSupported(int version) => _plain.IsVersionSupported(version);

    /// <inheritdoc/>
    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message) =>
        _plain.TryParseMessage(ref input, binder, out message);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => _plain.GetMessageBytes(message);

    /// <inheritdoc/>
    public void WriteMessage(HubMessage message, IBufferWriter<byte> output)
    {
        var head = _head ??= new ArrayBufferWriter<byte>(512);
        head.ResetWrittenCount();
        MessagePackWriter writer = new(head);
        switch (message)
        {
            // [1, {}, nil, target, [frame], []]
            case InvocationMessage { InvocationId: null, Headers: null, StreamIds: null or [], Arguments: [CounterFrame frame] } call:
                writer.WriteArrayHeader(6);
                writer.Write(Invocation);
                writer.WriteMapHeader(0);
                writer.WriteNil();
                writer.Write(call.Target);
                writer.WriteArrayHeader(1);
                Write(frame, ref writer, head, [EmptyArray], output);
                break;

            // [2, {}, stream, frame]
            case StreamItemMessage { Headers: null, Item: CounterFrame frame } item:
                writer.WriteArrayHeader(4);
                writer.Write(StreamItem);
                writer.WriteMapHeader(0);
                writer.Write(item.InvocationId);
                Write(frame, ref writer, head, [], output);
                break;

            default:
                _plain.WriteMessage(message, output);
                break;
        }
    }

    private static void Write(CounterFrame frame, ref MessagePackWriter writer, ArrayBufferWriter<byte> head, ReadOnlySpan<byte> tail, IBufferWriter<byte> output)
    {
        LivePack.WriteHead(ref writer, frame);
        writer.Flush();
        var values = frame.Values;
        int length = head.WrittenCount + tail.Length;
        for (int i = 0; i < values.Count; i++)
            length += values[i].MessagePack.Length;

        Span<byte> piece = output.GetSpan(length + 5);
        int at = 0;
        for (uint rest = (uint)length; ; rest >>= 7)
        {
            piece[at++] = (byte)(rest > 0x7f ? rest | 0x80 : rest);
            if (rest <= 0x7f)
                break;
        }

        at = Append(piece, at, head.WrittenSpan);
        for (int i = 0; i < values.Count; i++)
            at = Append(piece, at, values[i].MessagePack);
        output.Advance(Append(piece, at, tail));
    }

    private static int Append(Span<byte> piece, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(piece[at..]);
        return at + bytes.Length;
    }
}
