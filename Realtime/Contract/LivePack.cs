using System.Buffers;
using MessagePack;
using MessagePack.Formatters;

namespace Sketch.Realtime;

/// <summary>Values and frames in MessagePack, with what is absent left out: written by hand, since the formatters that are made at run time walk over each member.</summary>
internal static class LivePack
{
    /// <summary>A value's bytes.</summary>
    public static byte[] ToBytes(LiveValue value)
    {
        ArrayBufferWriter<byte> bytes = new(256);
        MessagePackWriter writer = new(bytes);
        Write(ref writer, value);
        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>All of a frame but its values, which come last.</summary>
    public static void WriteHead(ref MessagePackWriter writer, CounterFrame frame)
    {
        writer.WriteMapHeader(5 + (frame.Snapshot ? 1 : 0) + (frame.Removed is null ? 0 : 1) + (frame.Truncated ? 1 : 0));
        writer.WriteString("subscription"u8);
        writer.Write(frame.Subscription);
        writer.WriteString("number"u8);
        writer.Write(frame.Number);
        writer.WriteString("asOf"u8);
        writer.Write(frame.AsOf);
        writer.WriteString("skipped"u8);
        writer.Write(frame.Skipped);
        if (frame.Snapshot)
        {
            writer.WriteString("snapshot"u8);
            writer.Write(true);
        }

        if (frame.Removed is { } removed)
        {
            writer.WriteString("removed"u8);
            writer.WriteArrayHeader(removed.Count);
            foreach (string name in removed)
                writer.Write(name);
        }

        if (frame.Truncated)
        {
            writer.WriteString("truncated"u8);
            writer.Write(true);
        }

        writer.WriteString("values"u8);
        writer.WriteArrayHeader(frame.Values.Count);
    }

    private static void Write(ref MessagePackWriter writer, LiveValue value)
    {
        writer.WriteMapHeader(13 + (value.Items is null ? 0 : 1) + (value.ItemsAsOf is null ? 0 : 1));
        writer.WriteString("namespace"u8);
        writer.Write(value.Namespace);
        writer.WriteString("name"u8);
        writer.Write(value.Name);
        writer.WriteString("kind"u8);
        writer.Write(value.Kind);
        writer.WriteString("tier"u8);
        writer.Write(value.Tier);
        writer.WriteString("value"u8);
        writer.Write(value.Value);
        writer.WriteString("lower"u8);
        writer.Write(value.Lower);
        writer.WriteString("upper"u8);
        writer.Write(value.Upper);
        writer.WriteString("confidence"u8);
        writer.Write(value.Confidence);
        writer.WriteString("exact"u8);
        writer.Write(value.Exact);
        writer.WriteString("exactAsOf"u8);
        writer.Write(value.ExactAsOf);
        writer.WriteString("ratePerSecond"u8);
        writer.Write(value.RatePerSecond);
        writer.WriteString("ratePerSecond5m"u8);
        writer.Write(value.RatePerSecond5m);
        writer.WriteString("labels"u8);
        writer.WriteMapHeader(value.Labels.Count);
        foreach (var (label, text) in value.Labels)
        {
            writer.Write(label);
            writer.Write(text);
        }

        if (value.Items is { } items)
        {
            writer.WriteString("items"u8);
            writer.WriteArrayHeader(items.Count);
            foreach (var item in items)
                Write(ref writer, item);
        }

        if (value.ItemsAsOf is { } asOf)
        {
            writer.WriteString("itemsAsOf"u8);
            writer.Write(asOf);
        }
    }

    private static void Write(ref MessagePackWriter writer, LiveItem item)
    {
        writer.WriteMapHeader(6);
        writer.WriteString("item"u8);
        writer.Write(item.Item);
        writer.WriteString("value"u8);
        writer.Write(item.Value);
        writer.WriteString("lower"u8);
        writer.Write(item.Lower);
        writer.WriteString("upper"u8);
        writer.Write(item.Upper);
        writer.WriteString("certain"u8);
        writer.Write(item.Certain);
        writer.WriteString("exact"u8);
        writer.Write(item.Exact);
    }

    /// <summary>Frames inside of other objects.</summary>
    public sealed class FrameFormatter : IMessagePackFormatter<CounterFrame?>
    {
        /// <inheritdoc/>
        public void Serialize(ref MessagePackWriter writer, CounterFrame? value, MessagePackSerializerOptions options)
        {
            if (value is null)
            {
                writer.WriteNil();
                return;
            }

            WriteHead(ref writer, value);
            foreach (var one in value.Values)
                writer.WriteRaw(one.MessagePack);
        }

        /// <inheritdoc/>
        public CounterFrame Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => throw new NotSupportedException("A node sends frames and takes none.");
    }
}
