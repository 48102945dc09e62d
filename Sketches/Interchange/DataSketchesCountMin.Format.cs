using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Sketch.Sketches;

/// <content>The library's bytes: docs/formats/datasketches.md.</content>
public sealed partial class DataSketchesCountMin
{
    private const byte PreambleWords = 2;
    private const byte SerialVersion = 1;
    private const byte Family = 18;
    private const byte EmptyFlag = 1;
    private const int HeaderBytes = 16;

    /// <summary>How many bytes <see cref="Write"/> writes.</summary>
    public long ByteCount => HeaderBytes + (TotalWeight == 0 ? 0 : (1 + (long)_cells.Length) * sizeof(long));

    /// <summary>The cells that a sketch may have when nobody says how many: 128 MiB of them.</summary>
    public const int DefaultMaxCells = 1 << 24;

    /// <summary>Reads a sketch with 64-bit integer weights that the library wrote.</summary>
    /// <param name="bytes">All of it, and nothing behind it.</param>
    /// <param name="seed">What the sketch was made with: the bytes hold 16 bits of its hash, which must agree.</param>
    /// <param name="maxCells">A sketch of more cells is refused before anything is allocated.</param>
    /// <exception cref="InvalidDataException">Not such a sketch, damaged, of another seed, or too large.</exception>
    public static DataSketchesCountMin Read(ReadOnlySpan<byte> bytes, ulong seed = DefaultSeed, int maxCells = DefaultMaxCells)
    {
        if (bytes.Length < HeaderBytes)
            throw new InvalidDataException($"sketch is {bytes.Length} bytes; allowed {HeaderBytes} or more");
        if (bytes[0] != PreambleWords || bytes[1] != SerialVersion || bytes[2] != Family)
            throw new InvalidDataException($"preamble, serial version and family are {bytes[0]}, {bytes[1]}, {bytes[2]}; allowed {PreambleWords}, {SerialVersion}, {Family} (count-min)");
        if (bytes[3] > EmptyFlag)
            throw new InvalidDataException($"flags are {bytes[3]}; allowed 0 and {EmptyFlag}");
        uint buckets = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        int rows = bytes[12];
        int limit = Math.Min(maxCells, MaxCells - 1);
        if (rows == 0 || buckets < MinBuckets || (ulong)rows * buckets > (ulong)limit)
            throw new InvalidDataException($"shape is {rows} x {buckets}; allowed 1 row or more of {MinBuckets} buckets or more, {limit} cells in all");
        ushort seedHash = BinaryPrimitives.ReadUInt16LittleEndian(bytes[13..]);
        if (seedHash != SeedHash(seed))
            throw new InvalidDataException($"seed hash is {seedHash:x4}; allowed {SeedHash(seed):x4}, that of seed {seed}");
        bool empty = bytes[3] == EmptyFlag;
        long expected = HeaderBytes + (empty ? 0 : (1 + (long)rows * buckets) * sizeof(long));
        if (bytes.Length != expected)
            throw new InvalidDataException($"sketch is {bytes.Length} bytes; allowed {expected} for its shape");

        DataSketchesCountMin sketch = new(rows, (int)buckets, seed);
        if (empty)
            return sketch;
        ReadOnlySpan<byte> words = bytes[HeaderBytes..];
        sketch.TotalWeight = BinaryPrimitives.ReadInt64LittleEndian(words);
        if (sketch.TotalWeight <= 0)
            throw new InvalidDataException($"total weight is {sketch.TotalWeight}; allowed 1 or more in a sketch that is not empty");
        MemoryMarshal.Cast<byte, long>(words[sizeof(long)..]).CopyTo(sketch._cells);
        sketch.SwapOnBigEndian();
        return sketch;
    }

    /// <summary>Writes the sketch. The library reads it, and may go on counting.</summary>
    /// <param name="writer">Receives <see cref="ByteCount"/> bytes.</param>
    /// <exception cref="InvalidOperationException">The sketch is larger than 2 GiB.</exception>
    public void Write(IBufferWriter<byte> writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (ByteCount > Array.MaxLength)
            throw new InvalidOperationException($"sketch is {ByteCount} bytes; allowed {Array.MaxLength} in one piece");
        int length = (int)ByteCount;
        Span<byte> bytes = writer.GetSpan(length)[..length];
        bytes[..HeaderBytes].Clear();
        bytes[0] = PreambleWords;
        bytes[1] = SerialVersion;
        bytes[2] = Family;
        bytes[3] = TotalWeight == 0 ? EmptyFlag : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], Buckets);
        bytes[12] = (byte)Rows;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[13..], SeedHash(Seed));
        if (TotalWeight != 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes[HeaderBytes..], TotalWeight);
            for (int i = 0; i < _cells.Length; i++)
                BinaryPrimitives.WriteInt64LittleEndian(bytes[(HeaderBytes + (i + 1) * sizeof(long))..], _cells[i]);
        }

        writer.Advance(length);
    }

    private static ushort SeedHash(ulong seed) => (ushort)MurmurHash3.Compute(seed, 0).H1;

    private void SwapOnBigEndian()
    {
        if (!BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(_cells, _cells);
    }
}
