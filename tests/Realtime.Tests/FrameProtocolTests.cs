using System.Buffers;
using MessagePack;
using MessagePack.Resolvers;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;
using Sketch.Engine.Reads;
using Sketch.Realtime;
using Sketch.Realtime.Broadcast;
using Sketch.Realtime.Hub;

namespace Sketch.Tests.Realtime;

/// <summary>What is put together by hand, read by SignalR's own protocol.</summary>
public sealed class FrameProtocolTests
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(20, false)]
    [InlineData(1_000, true)]
    public void A_frame_is_what_signalr_reads_and_lies_in_one_piece(int values, bool isSnapshot)
    {
        var frame = Frame(values, isSnapshot);
        Pieces output = new();
        new FrameProtocol().WriteMessage(new InvocationMessage("OnValues", [frame]), output);
        Assert.Equal(1, output.Count);
        var call = Assert.IsType<InvocationMessage>(Read(output));
        Assert.Equal("OnValues", call.Target);
        Assert.Null(call.InvocationId);
        Same(frame, Assert.IsType<CounterFrame>(Assert.Single(call.Arguments)));

        output = new();
        new FrameProtocol().WriteMessage(new StreamItemMessage("7", frame), output);
        Assert.Equal(1, output.Count);
        var item = Assert.IsType<StreamItemMessage>(Read(output));
        Assert.Equal("7", item.InvocationId);
        Same(frame, Assert.IsType<CounterFrame>(item.Item));
    }

    [Fact]
    public void Other_messages_are_signalrs_own()
    {
        Pieces output = new();
        var reply = new SubscriptionReply { Subscription = 1, IntervalMs = 50, Snapshot = Frame(2, isSnapshot: true) };
        new FrameProtocol().WriteMessage(CompletionMessage.WithResult("3", reply), output);
        var completion = Assert.IsType<CompletionMessage>(Read(output));
        Assert.Equal("3", completion.InvocationId);
        Same(reply.Snapshot, Assert.IsType<SubscriptionReply>(completion.Result).Snapshot);
    }

    private static CounterFrame Frame(int values, bool isSnapshot)
    {
        LiveItems items = new(MemoryReader.Checkpoint.UtcDateTime, [new LiveItem { Item = "/é", Value = 3, Lower = 2, Upper = long.MaxValue, Certain = false, Exact = false }]);
        return new CounterFrame
        {
            Subscription = 3,
            Number = 1L << 40,
            AsOf = MemoryReader.Checkpoint.UtcDateTime.AddTicks(1_234_567),
            Skipped = 2,
            Snapshot = isSnapshot,
            Truncated = isSnapshot,
            Removed = isSnapshot ? null : ["gone", "é"],
            Values = [.. Enumerable.Range(0, values).Select(i => LiveValue.From(
                new CounterValue(
                    "words", $"c{i}", i % 2 == 0 ? "sum" : "top", "approximate", long.MinValue + i, -i, i << 20, 0.99, false, MemoryReader.Checkpoint.AddMilliseconds(i), i / 3.0,
                    new Dictionary<string, string> { ["lang"] = "de" }) { RatePerSecond5m = 2.5 },
                i,
                i % 2 == 0 ? null : items))],
        };
    }

    private static void Same(CounterFrame expected, CounterFrame actual)
    {
        Assert.Equivalent(expected, actual, strict: true);
        Assert.Equal(expected.AsOf, actual.AsOf);
    }

    private static HubMessage Read(Pieces output)
    {
        var bytes = new ReadOnlySequence<byte>(output.Bytes.WrittenMemory);
        MessagePackHubProtocol plain = new(Options.Create(new MessagePackHubProtocolOptions
        {
            SerializerOptions = MessagePackSerializerOptions.Standard.WithResolver(ContractlessStandardResolver.Instance),
        }));
        Assert.True(plain.TryParseMessage(ref bytes, new Binder(), out var message));
        Assert.True(bytes.IsEmpty);
        return message;
    }

    /// <summary>Counts how often something was written.</summary>
    private sealed class Pieces : IBufferWriter<byte>
    {
        public ArrayBufferWriter<byte> Bytes { get; } = new();

        public int Count { get; private set; }

        public void Advance(int count)
        {
            Count++;
            Bytes.Advance(count);
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => Bytes.GetMemory(sizeHint);

        public Span<byte> GetSpan(int sizeHint = 0) => Bytes.GetSpan(sizeHint);
    }

    private sealed class Binder : IInvocationBinder
    {
        public IReadOnlyList<Type> GetParameterTypes(string methodName) => [typeof(CounterFrame)];

        public Type GetReturnType(string invocationId) => typeof(SubscriptionReply);

        public Type GetStreamItemType(string streamId) => typeof(CounterFrame);
    }
}
