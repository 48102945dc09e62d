using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Sketch.Engine.Increments;

namespace Sketch.Engine.Elements;

/// <summary>
/// The payload of an elements record: a batch that has elements, alone or beside sums, of one namespace. Little endian; docs/formats/elements.md has the
/// same table.
/// <code>
/// offset        size  what
///      0           2  namespace, by order of definition
///      2           2  version (1)
///      4           4  d: elements of counters of the kind distinct
///      8           4  t: items of counters of the kind top
///     12           4  s: bytes of the sums that follow
///     16           8  id of the key that the elements were hashed with
///     24           s  the batch's sums, an increments payload; the items' deltas are in it as sums of their counters
///   24+s'        16d  hashes of the elements, uint128; s' is s rounded up to a multiple of 8
///      then       8d  ids of their counters
///      then       8t  ids of the items' counters
///      then       8t  ids of the items
///      then       8t  the items' deltas, int64
///      then  t times  length (2 bytes) and UTF-8 bytes of the item
/// </code>
/// </summary>
internal readonly ref struct ElementPayload
{
    public const int HeaderBytes = 24;
    public const ushort Version = 1;

    private readonly ReadOnlySpan<byte> _bytes;

    /// <exception cref="InvalidDataException">The payload is of another version or too short: this is our bug or another release's log.</exception>
    public ElementPayload(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) != Version
            || bytes.Length < TextsOffset(SumBytes, DistinctCount, ItemCount))
        {
            throw new InvalidDataException("The log holds an elements record that this release can't read.");
        }
    }

    public ushort NamespaceIndex => BinaryPrimitives.ReadUInt16LittleEndian(_bytes);

    public int DistinctCount => BinaryPrimitives.ReadInt32LittleEndian(_bytes[4..]);

    public int ItemCount => BinaryPrimitives.ReadInt32LittleEndian(_bytes[8..]);

    public ulong KeyId => BinaryPrimitives.ReadUInt64LittleEndian(_bytes[16..]);

    /// <summary>The sums of the batch.</summary>
    public IncrementPayload Sums => new(_bytes.Slice(HeaderBytes, SumBytes));

    public ReadOnlySpan<UInt128> Hashes => MemoryMarshal.Cast<byte, UInt128>(_bytes.Slice(ColumnsOffset(SumBytes), DistinctCount * 16));

    public ReadOnlySpan<ulong> DistinctIds => Words(ColumnsOffset(SumBytes) + (DistinctCount * 16), DistinctCount);

    public ReadOnlySpan<ulong> TopIds => Words(ColumnsOffset(SumBytes) + (DistinctCount * 24), ItemCount);

    public ReadOnlySpan<ulong> ItemIds => Words(ColumnsOffset(SumBytes) + (DistinctCount * 24) + (ItemCount * 8), ItemCount);

    public ReadOnlySpan<long> ItemDeltas =>
        MemoryMarshal.Cast<ulong, long>(Words(ColumnsOffset(SumBytes) + (DistinctCount * 24) + (ItemCount * 16), ItemCount));

    /// <summary>The items' texts, in the order of the rows.</summary>
    public IncrementPayload.NameEnumerator Items => new(_bytes[TextsOffset(SumBytes, DistinctCount, ItemCount)..], ItemCount);

    private int SumBytes => BinaryPrimitives.ReadInt32LittleEndian(_bytes[12..]);

    /// <summary>Where the columns start.</summary>
    public static int ColumnsOffset(int sumBytes) => checked(HeaderBytes + ((sumBytes + 7) & ~7));

    /// <summary>Where the items' texts start.</summary>
    public static int TextsOffset(int sumBytes, int distinct, int items) => checked(ColumnsOffset(sumBytes) + (distinct * 24) + (items * 24));

    public static void WriteHeader(Span<byte> into, ushort namespaceIndex, int distinct, int items, int sumBytes, ulong keyId)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(into, namespaceIndex);
        BinaryPrimitives.WriteUInt16LittleEndian(into[2..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(into[4..], distinct);
        BinaryPrimitives.WriteInt32LittleEndian(into[8..], items);
        BinaryPrimitives.WriteInt32LittleEndian(into[12..], sumBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(into[16..], keyId);
    }

    private ReadOnlySpan<ulong> Words(int offset, int count) => MemoryMarshal.Cast<byte, ulong>(_bytes.Slice(offset, count * 8));
}
