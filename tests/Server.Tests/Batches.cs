using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Sketch.Engine.Catalogue;
using Sketch.Server.Rest;

namespace Sketch.Tests.Server;

/// <summary>Makes batches in columns.</summary>
internal static class Batches
{
    public static byte[] Of(string producer, long sequence, string[] counters, int width, long[] deltas, string[] names, string @namespace = "words")
    {
        ArrayBufferWriter<byte> writer = new();
        BinaryBatch.WriteHead(writer, Encoding.UTF8.GetBytes(producer), sequence, counters.Length, width, names.Length);
        writer.Write(MemoryMarshal.AsBytes<ulong>(counters.Select(c => CounterId.Of(@namespace, c)).ToArray()));
        return Rest(writer, width, deltas, names);
    }

    /// <summary>The same with numbers of names, ascending.</summary>
    public static byte[] OfNumbers(string producer, long sequence, int[] numbers, int width, long[] deltas, params string[] names)
    {
        ArrayBufferWriter<byte> writer = new();
        BinaryBatch.WriteHead(writer, Encoding.UTF8.GetBytes(producer), sequence, numbers.Length, width, names.Length, BinaryBatch.Numbers);
        BinaryBatch.WriteNumbers(writer, numbers);
        return Rest(writer, width, deltas, names);
    }

    private static byte[] Rest(ArrayBufferWriter<byte> writer, int width, long[] deltas, string[] names)
    {
        foreach (long delta in deltas)
        {
            writer.Write(BitConverter.GetBytes(delta).AsSpan(0, width));
        }

        foreach (string name in names)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(name);
            writer.Write(BitConverter.GetBytes((ushort)utf8.Length));
            writer.Write(utf8);
        }

        return writer.WrittenSpan.ToArray();
    }
}
