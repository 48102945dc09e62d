using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Sketch.Engine.Catalogue;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Bench;

/// <summary>The counters of a measurement and a stream of increments on them, drawn beforehand so that drawing is not what is measured.</summary>
internal sealed class BenchStream
{
    /// <summary>How long the stream is before it repeats: long enough that neither end fits a cache.</summary>
    public const int Length = 1 << 25;

    private readonly byte[] _byNumber;
    private readonly byte[] _stream = GC.AllocateUninitializedArray<byte>(Length * sizeof(ulong));
    private readonly List<ReadOnlyMemory<byte>> _numbered = [];

    /// <param name="namespace">Where the counters are.</param>
    /// <param name="counters">How many there are.</param>
    /// <param name="isZipf">Drawn with probability 1 / rank, else all alike.</param>
    /// <param name="seed">Of the draws.</param>
    /// <param name="numberedPart">Increments of a part that is also kept as a column of numbers, sorted; 0 for none.</param>
    public BenchStream(string @namespace, int counters, bool isZipf, int seed, int numberedPart = 0)
    {
        Counters = counters;
        _byNumber = GC.AllocateUninitializedArray<byte>(checked(counters * sizeof(ulong)));
        Span<ulong> byNumber = MemoryMarshal.Cast<byte, ulong>(_byNumber.AsSpan());
        for (int i = 0; i < counters; i++)
            byNumber[i] = CounterId.Of(@namespace, Name(i));
        Random random = new(seed);
        ZipfSource zipf = new(counters, random);
        Span<ulong> stream = MemoryMarshal.Cast<byte, ulong>(_stream.AsSpan());
        int[] part = new int[numberedPart];
        for (int i = 0; i < stream.Length; i++)
        {
            int number = isZipf ? zipf.Next() - 1 : random.Next(counters);
            stream[i] = byNumber[number];
            if (numberedPart == 0)
                continue;
            part[i % numberedPart] = number;
            if (i % numberedPart == numberedPart - 1)
                _numbered.Add(Column(part));
        }
    }

    /// <summary>How many counters there are.</summary>
    public int Counters { get; }

    /// <summary>The ids of some counters, little endian.</summary>
    public ReadOnlyMemory<byte> Ids(int from, int count) => _byNumber.AsMemory(from * sizeof(ulong), count * sizeof(ulong));

    /// <summary>The ids of a part of the stream, little endian; after the last whole part it begins again.</summary>
    public ReadOnlyMemory<byte> Part(long number, int size) =>
        _stream.AsMemory((int)(number % (Length / size)) * size * sizeof(ulong), size * sizeof(ulong));

    /// <summary>The same part as a column of numbers.</summary>
    public ReadOnlyMemory<byte> NumberedPart(long number) => _numbered[(int)(number % _numbered.Count)];

    /// <summary>Mean bytes of an increment in columns of numbers.</summary>
    public double NumberBytes => _numbered.Count == 0 ? 0 : _numbered.Sum(p => (double)p.Length) * sizeof(ulong) / _stream.Length;

    /// <summary>The ids of counters beside the stream, little endian.</summary>
    public static ReadOnlyMemory<byte> IdsOf(string @namespace, int from, int count) =>
        MemoryMarshal.AsBytes<ulong>(Enumerable.Range(from, count).Select(i => CounterId.Of(@namespace, Name(i))).ToArray()).ToArray();

    /// <summary>A counter's name.</summary>
    public static string Name(int number) => number.ToString("'c'00000000", CultureInfo.InvariantCulture);

    private static ReadOnlyMemory<byte> Column(int[] part)
    {
        Array.Sort(part);
        ArrayBufferWriter<byte> column = new(part.Length * 2);
        BinaryBatch.WriteNumbers(column, part);
        return column.WrittenSpan.ToArray();
    }

    /// <summary>A counter's name in UTF-8.</summary>
    public static byte[] NameUtf8(int number) => Encoding.UTF8.GetBytes(Name(number));
}
