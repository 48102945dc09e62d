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
///      5     1  encoding of the counters: 0 (ids, uint64 each), 1 (numbers of declared names, ascending, as gaps)
///      6     2  p: bytes of the producer's name, 0 for none
///      8     8  sequence, 0 without a producer
///     16     4  n: increments
///     20     4  m: names declared
///     24     p  producer, UTF-8; then zeros up to a multiple of 8
///   then    8n  ids; in encoding 1 length (4 bytes) and bytes of n gaps in LEB128
///   then    wn  deltas
///   then     m  times: length (2 bytes) and UTF-8 bytes of a name
/// </code>
/// </summary>
internal static partial class BinaryBatch
{
    /// <summary>The content type.</summary>
    public const string MediaType = "application/vnd.sketch.batch";

    /// <summary>Bytes before the producer.</summary>
    public const int HeaderBytes = 24;

    /// <summary>The encoding in which every counter is its id.</summary>
    public const int Ids = 0;

    /// <summary>The encoding in which every counter is the number of its name.</summary>
    public const int Numbers = 1;

    private static ReadOnlySpan<byte> Magic => "SKB1"u8;

    /// <summary>Reads a body into a batch.</summary>
    /// <param name="body">The bytes.</param>
    /// <param name="batch">An empty one.</param>
    /// <param name="names">The numbers of names that batches of the same connection declared before; null for a batch alone.</param>
    /// <param name="lastProducer">The producer of the batch before it on the same connection: nearly always the same string.</param>
    /// <exception cref="ProblemException">The first thing that is wrong; the caller drops the whole batch.</exception>
    public static Sender Read(ReadOnlySpan<byte> body, IncrementBatch batch, NumberedNames? names = null, string? lastProducer = null)
    {
        if (body.Length < HeaderBytes || !body.StartsWith(Magic))
            throw new ProblemException(Problem.Invalid("body", $"{body.Length} bytes that do not begin with SKB1", "a batch as docs/formats/batch.md has it"));
        int width = body[4];
        if (width is not (0 or 1 or 2 or 4 or 8))
            throw new ProblemException(Problem.Invalid("w", $"{width}", "0, 1, 2, 4 or 8 bytes of a delta"));
        int encoding = body[5];
        if (encoding is not (Ids or Numbers))
            throw new ProblemException(Problem.Invalid("encoding", $"{encoding}", "0 or 1"));
        int producerBytes = BinaryPrimitives.ReadUInt16LittleEndian(body[6..]);
        if (producerBytes > EngineLimits.MaxProducerBytes)
            throw new ProblemException(Problem.Invalid("p", $"{producerBytes}", $"at most {EngineLimits.MaxProducerBytes} bytes of the producer's name"));
        long sequence = BinaryPrimitives.ReadInt64LittleEndian(body[8..]);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(body[16..]);
        uint declared = BinaryPrimitives.ReadUInt32LittleEndian(body[20..]);
        if (count is 0 or > EngineLimits.MaxBatchIncrements)
            throw new ProblemException(Problem.Invalid("n", $"{count}", $"1 to {EngineLimits.MaxBatchIncrements} increments"));
        if (declared > EngineLimits.MaxBatchIncrements)
            throw new ProblemException(Problem.Invalid("m", $"{declared}", $"at most {EngineLimits.MaxBatchIncrements} names"));

        if (encoding == Numbers)
        {
            names ??= batch.OwnNames;
            if (names.Count + declared > NumberedNames.Most)
                throw new ProblemException(Problem.Invalid("m", $"{names.Count + declared} names on one connection", $"at most {NumberedNames.Most}; go on with another connection"));
        }

        int named = names?.Count ?? 0;
        try
        {
            int columns = HeaderBytes + ((producerBytes + 7) & ~7);
            Parts parts = encoding == Numbers ? Parts.OfNumbers(body, columns, (int)count, width) : Parts.OfIds(body, columns, (int)count, width);
            Sender sender = ReadSender(body.Slice(HeaderBytes, producerBytes), sequence, lastProducer);
            ReadNames(parts.Names, declared, batch, encoding == Numbers ? names : null);
            AddColumns(parts, (int)count, width, batch, encoding == Numbers ? names : null);
            return sender;
        }
        finally
        {
            // The sender numbers its names without waiting for answers: a refused batch takes as many numbers as it declares.
            if (encoding == Numbers)
                names!.Skip(named + (int)declared - names.Count);
        }
    }

    /// <summary>Writes all that comes before the ids.</summary>
    /// <param name="into">Receives it.</param>
    /// <param name="producer">UTF-8, empty for none.</param>
    /// <param name="sequence">From 1, or 0 without a producer.</param>
    /// <param name="count">How many increments follow.</param>
    /// <param name="width">Bytes of a delta.</param>
    /// <param name="names">How many names are declared.</param>
    /// <param name="encoding"><see cref="Ids"/> or <see cref="Numbers"/>.</param>
    public static void WriteHead(IBufferWriter<byte> into, ReadOnlySpan<byte> producer, long sequence, int count, int width, int names, int encoding = Ids)
    {
        int bytes = HeaderBytes + ((producer.Length + 7) & ~7);
        Span<byte> head = into.GetSpan(bytes)[..bytes];
        head.Clear();
        Magic.CopyTo(head);
        head[4] = (byte)width;
        head[5] = (byte)encoding;
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

    private static void ReadNames(ReadOnlySpan<byte> rest, uint declared, IncrementBatch batch, NumberedNames? numbered)
    {
        for (uint i = 0; i < declared; i++)
        {
            int length = rest.Length < 2 ? int.MaxValue : 2 + BinaryPrimitives.ReadUInt16LittleEndian(rest);
            if (length > rest.Length)
                throw new ProblemException(Problem.Invalid($"names[{i}]", "cut off", $"{declared} names, as m says"));
            if ((numbered is null ? batch.Declare(rest[2..length]) : batch.Declare(rest[2..length], numbered)) is { } refused)
                throw new ProblemException(Problem.From(refused, $"names[{i}]"));
            rest = rest[length..];
        }

        if (!rest.IsEmpty)
            throw new ProblemException(Problem.Invalid("body", $"{rest.Length} bytes after the last name", "none"));
    }

    private static void AddColumns(in Parts parts, int count, int width, IncrementBatch batch, NumberedNames? names)
    {
        long[]? widened = null;
        ReadOnlySpan<long> deltas = MemoryMarshal.Cast<byte, long>(parts.Deltas);
        if (width != sizeof(long))
        {
            widened = ArrayPool<long>.Shared.Rent(count);
            Widen(parts.Deltas, width, widened.AsSpan(0, count));
            deltas = widened.AsSpan(0, count);
        }

        int at;
        Rejection? refused;
        if (names is null)
        {
            refused = batch.Add(MemoryMarshal.Cast<byte, ulong>(parts.Counters), deltas, out at);
        }
        else
        {
            int[] numbers = ArrayPool<int>.Shared.Rent(count);
            Read(parts.Counters, numbers.AsSpan(0, count), names.Count);
            refused = batch.Add(names, numbers.AsSpan(0, count), deltas, out at);
            ArrayPool<int>.Shared.Return(numbers);
        }

        if (widened is not null)
            ArrayPool<long>.Shared.Return(widened);
        if (refused is not null)
            throw new ProblemException(Problem.From(refused, FieldOf(refused, at, names is not null)));
    }

    private static string FieldOf(Rejection refused, int at, bool isNumbered) => refused.Field switch
    {
        "increments" => "n",
        "id" when isNumbered => $"numbers[{at}]",
        _ => $"{refused.Field}s[{at}]",
    };

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
