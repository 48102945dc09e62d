using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Sketch.Engine;
using Sketch.Engine.Increments;

namespace Sketch.Server.Rest;

/// <summary>
/// application/vnd.sketch.batch: increments as columns of ids and deltas, names declared once. Little endian; docs/formats/batch.md has the same table.
/// <code>
/// offset  size  what
///      0     4  "SKB1"
///      4     1  w: bytes of a delta: 0 (no column: all are 1), 1, 2 or 4 (unsigned), 8 (int64)
///      5     1  encoding of the ids: 0 (uint64 each)
///      6     2  p: bytes of the producer's name, 0 for none
///      8     8  sequence, 0 without a producer
///     16     4  n: increments
///     20     4  m: names declared
///     24     p  producer, UTF-8; then zeros up to a multiple of 8
///   then    8n  ids
///   then    wn  deltas
///   then     m  times: length (2 bytes) and UTF-8 bytes of a name
/// </code>
/// </summary>
internal static class BinaryBatch
{
    /// <summary>The content type.</summary>
    public const string MediaType = "application/vnd.sketch.batch";

    /// <summary>Bytes before the producer.</summary>
    public const int HeaderBytes = 24;

    private static ReadOnlySpan<byte> Magic => "SKB1"u8;

    /// <summary>Reads a body into a batch.</summary>
    /// <param name="body">The bytes.</param>
    /// <param name="batch">An empty one.</param>
    /// <param name="lastProducer">The producer of the batch before it on the same connection: nearly always the same string.</param>
    /// <exception cref="ProblemException">The first thing that is wrong; the caller drops the whole batch.</exception>
    public static Sender Read(ReadOnlySpan<byte> body, IncrementBatch batch, string? lastProducer = null)
    {
        if (body.Length < HeaderBytes || !body.StartsWith(Magic))
            throw new ProblemException(Problem.Invalid("body", $"{body.Length} bytes that do not begin with SKB1", "a batch as docs/formats/batch.md has it"));
        int width = body[4];
        if (width is not (0 or 1 or 2 or 4 or 8))
            throw new ProblemException(Problem.Invalid("w", $"{width}", "0, 1, 2, 4 or 8 bytes of a delta"));
        if (body[5] != 0)
            throw new ProblemException(Problem.Invalid("encoding", $"{body[5]}", "0"));
        int producerBytes = BinaryPrimitives.ReadUInt16LittleEndian(body[6..]);
        if (producerBytes > EngineLimits.MaxProducerBytes)
            throw new ProblemException(Problem.Invalid("p", $"{producerBytes}", $"at most {EngineLimits.MaxProducerBytes} bytes of the producer's name"));
        long sequence = BinaryPrimitives.ReadInt64LittleEndian(body[8..]);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(body[16..]);
        uint names = BinaryPrimitives.ReadUInt32LittleEndian(body[20..]);
        if (count is 0 or > EngineLimits.MaxBatchIncrements)
            throw new ProblemException(Problem.Invalid("n", $"{count}", $"1 to {EngineLimits.MaxBatchIncrements} increments"));
        if (names > EngineLimits.MaxBatchIncrements)
            throw new ProblemException(Problem.Invalid("m", $"{names}", $"at most {EngineLimits.MaxBatchIncrements} names"));

        int ids = HeaderBytes + ((producerBytes + 7) & ~7);
        int deltas = ids + ((int)count * 8);
        int declared = deltas + ((int)count * width);
        if (declared > body.Length)
            throw new ProblemException(Problem.Invalid("body", $"{body.Length} bytes", $"at least {declared}, as n, w and p say"));
        Sender sender = ReadSender(body.Slice(HeaderBytes, producerBytes), sequence, lastProducer);
        ReadNames(body[declared..], names, batch);
        AddColumns(MemoryMarshal.Cast<byte, ulong>(body[ids..deltas]), body[deltas..declared], width, batch);
        return sender;
    }

    /// <summary>Writes all that comes before the ids.</summary>
    /// <param name="into">Receives it.</param>
    /// <param name="producer">UTF-8, empty for none.</param>
    /// <param name="sequence">From 1, or 0 without a producer.</param>
    /// <param name="count">How many increments follow.</param>
    /// <param name="width">Bytes of a delta.</param>
    /// <param name="names">How many names are declared.</param>
    public static void WriteHead(IBufferWriter<byte> into, ReadOnlySpan<byte> producer, long sequence, int count, int width, int names)
    {
        int bytes = HeaderBytes + ((producer.Length + 7) & ~7);
        Span<byte> head = into.GetSpan(bytes)[..bytes];
        head.Clear();
        Magic.CopyTo(head);
        head[4] = (byte)width;
        BinaryPrimitives.WriteUInt16LittleEndian(head[6..], (ushort)producer.Length);
        BinaryPrimitives.WriteInt64LittleEndian(head[8..], sequence);
        BinaryPrimitives.WriteInt32LittleEndian(head[16..], count);
        BinaryPrimitives.WriteInt32LittleEndian(head[20..], names);
        producer.CopyTo(head[HeaderBytes..]);
        into.Advance(bytes);
    }

    private static Sender ReadSender(ReadOnlySpan<byte> producer, long sequence, string? lastProducer)
    {
        if (sequence > 0 && lastProducer is not null && Ascii.Equals(producer, lastProducer))
            return new Sender(lastProducer, sequence);
        string? name = null;
        if (!producer.IsEmpty)
        {
            try
            {
                name = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(producer);
            }
            catch (DecoderFallbackException)
            {
                throw new ProblemException(Problem.Invalid("producer", "not UTF-8", "UTF-8"));
            }
        }

        return Sender.Of(name, sequence == 0 ? null : $"{sequence}");
    }

    private static void ReadNames(ReadOnlySpan<byte> rest, uint names, IncrementBatch batch)
    {
        for (uint i = 0; i < names; i++)
        {
            int length = rest.Length < 2 ? int.MaxValue : 2 + BinaryPrimitives.ReadUInt16LittleEndian(rest);
            if (length > rest.Length)
                throw new ProblemException(Problem.Invalid($"names[{i}]", "cut off", $"{names} names, as m says"));
            if (batch.Declare(rest[2..length]) is { } refused)
                throw new ProblemException(Problem.From(refused, $"names[{i}]"));
            rest = rest[length..];
        }

        if (!rest.IsEmpty)
            throw new ProblemException(Problem.Invalid("body", $"{rest.Length} bytes after the last name", "none"));
    }

    private static void AddColumns(ReadOnlySpan<ulong> ids, ReadOnlySpan<byte> column, int width, IncrementBatch batch)
    {
        Rejection? refused;
        int at;
        if (width == sizeof(long))
        {
            refused = batch.Add(ids, MemoryMarshal.Cast<byte, long>(column), out at);
        }
        else
        {
            long[] deltas = ArrayPool<long>.Shared.Rent(ids.Length);
            Widen(column, width, deltas.AsSpan(0, ids.Length));
            refused = batch.Add(ids, deltas.AsSpan(0, ids.Length), out at);
            ArrayPool<long>.Shared.Return(deltas);
        }

        if (refused is not null)
            throw new ProblemException(Problem.From(refused, refused.Field == "increments" ? "n" : $"{refused.Field}s[{at}]"));
    }

    private static void Widen(ReadOnlySpan<byte> column, int width, Span<long> into)
    {
        switch (width)
        {
            case 0:
                into.Fill(1);
                break;
            case 1:
                for (int i = 0; i < into.Length; i++)
                    into[i] = column[i];
                break;
            case 2:
                ReadOnlySpan<ushort> shorts = MemoryMarshal.Cast<byte, ushort>(column);
                for (int i = 0; i < into.Length; i++)
                    into[i] = shorts[i];
                break;
            default:
                ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(column);
                for (int i = 0; i < into.Length; i++)
                    into[i] = words[i];
                break;
        }
    }
}
