using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Sketch.Engine.Increments;

/// <summary>
/// The payload of an increments record: columns of one namespace. Little endian; docs/formats/increments.md has the same table.
/// <code>
/// offset     size  what
///      0        2  namespace, by order of definition
///      2        1  version (3)
///      3        1  w: bytes of a sketch row's delta: 1, 2 or 4
///      4        4  e: rows that go to the exact table of the window
///      8        4  a: rows that go to its sketch
///     12        4  n: names declared
///     16        8  position of the last definition that the sender had seen
///     24        8  weight: the sum of the sizes of all deltas
///     32        8  joined: increments that have no row, since the sketch row before has their delta too
///     40        8  sum of their ids
///     48       8e  ids of the exact rows
///   48+8e      8e  their deltas, int64
///  48+16e      8a  ids of the sketch rows
///  48+16e+8a   wa  their deltas, unsigned
///       then    n  times: length (2 bytes) and UTF-8 bytes of a name
/// </code>
/// Version 2, which is read too, has neither of the two before the columns.
/// </summary>
internal readonly ref struct IncrementPayload
{
    /// <summary>Bytes before the first column.</summary>
    public const int HeaderBytes = 48;
    /// <summary>The version of this layout.</summary>
    public const byte Version = 3;

    private const byte VersionWithoutJoined = 2;
    private const int HeaderBytesWithoutJoined = 32;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _columns; // where they begin

    /// <exception cref="InvalidDataException">The payload is of another version or too short: this is our bug or another release's log.</exception>
    public IncrementPayload(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        _columns = bytes.Length > 2 && bytes[2] == VersionWithoutJoined ? HeaderBytesWithoutJoined : HeaderBytes;
        if (bytes.Length < _columns || bytes[2] is not (Version or VersionWithoutJoined) || bytes[3] is not (1 or 2 or 4)
            || bytes.Length < NamesAt || Joined < 0)
        {
            throw new InvalidDataException("The log holds an increments record that this release can't read.");
        }
    }

    /// <summary>The namespace, by its number.</summary>
    public ushort NamespaceIndex => BinaryPrimitives.ReadUInt16LittleEndian(_bytes);

    /// <summary>Rows that are summed exactly.</summary>
    public int ExactCount => BinaryPrimitives.ReadInt32LittleEndian(_bytes[4..]);

    /// <summary>Rows that go to the sketch.</summary>
    public int ApproximateCount => BinaryPrimitives.ReadInt32LittleEndian(_bytes[8..]);

    /// <summary>Names that it declares.</summary>
    public int NameCount => BinaryPrimitives.ReadInt32LittleEndian(_bytes[12..]);

    /// <summary>The position of the last definition that the sender had seen.</summary>
    public long DefinitionsAt => BinaryPrimitives.ReadInt64LittleEndian(_bytes[16..]);

    /// <summary>How many increments its rows stand for.</summary>
    public long Count => ExactCount + ApproximateCount + Joined;

    /// <summary>The sum, modulo 2^64, of the ids of increments that have no row of their own.</summary>
    public ulong JoinedIds => _columns == HeaderBytes ? BinaryPrimitives.ReadUInt64LittleEndian(_bytes[40..]) : 0;

    /// <summary>Ids of the rows that are summed exactly.</summary>
    public ReadOnlySpan<ulong> ExactIds => MemoryMarshal.Cast<byte, ulong>(_bytes.Slice(_columns, ExactCount * 8));

    /// <summary>A delta for each of these.</summary>
    public ReadOnlySpan<long> ExactDeltas => MemoryMarshal.Cast<byte, long>(_bytes.Slice(_columns + (ExactCount * 8), ExactCount * 8));

    /// <summary>Ids of the rows that go to the sketch.</summary>
    public ReadOnlySpan<ulong> ApproximateIds =>
        MemoryMarshal.Cast<byte, ulong>(_bytes.Slice(_columns + (ExactCount * 16), ApproximateCount * 8));

    /// <summary>The names that it declares.</summary>
    public NameEnumerator Names => new(_bytes[NamesAt..], NameCount);

    /// <summary>The sum of all deltas' sizes: what the batch adds to its namespace's weight.</summary>
    public long Weight => BinaryPrimitives.ReadInt64LittleEndian(_bytes[24..]);

    private int DeltaBytes => _bytes[3];

    private long Joined => _columns == HeaderBytes ? BinaryPrimitives.ReadInt64LittleEndian(_bytes[32..]) : 0;

    private int NamesAt => NamesOffset(ExactCount, ApproximateCount, DeltaBytes) - HeaderBytes + _columns;

    /// <summary>Where the names start, in a payload of this version.</summary>
    public static int NamesOffset(int exact, int approximate, int deltaBytes) => checked(HeaderBytes + (exact * 16) + (approximate * (8 + deltaBytes)));

    /// <summary>Writes what stands before the columns.</summary>
    public static void WriteHeader(
        Span<byte> into, ushort namespaceIndex, int deltaBytes, int exact, int approximate, int names, long definitionsAt, long weight, int joined, ulong joinedIds)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(into, namespaceIndex);
        into[2] = Version;
        into[3] = (byte)deltaBytes;
        BinaryPrimitives.WriteInt32LittleEndian(into[4..], exact);
        BinaryPrimitives.WriteInt32LittleEndian(into[8..], approximate);
        BinaryPrimitives.WriteInt32LittleEndian(into[12..], names);
        BinaryPrimitives.WriteInt64LittleEndian(into[16..], definitionsAt);
        BinaryPrimitives.WriteInt64LittleEndian(into[24..], weight);
        BinaryPrimitives.WriteInt64LittleEndian(into[32..], joined);
        BinaryPrimitives.WriteUInt64LittleEndian(into[40..], joinedIds);
    }

    /// <summary>Takes the sketch rows' deltas out.</summary>
    /// <returns>The part of <paramref name="into"/> that was filled.</returns>
    public ReadOnlySpan<uint> ApproximateDeltas(Span<uint> into)
    {
        into = into[..ApproximateCount];
        DeltaColumn.Widen(_bytes.Slice(_columns + (ExactCount * 16) + (ApproximateCount * 8), ApproximateCount * DeltaBytes), DeltaBytes, into);
        return into;
    }

    /// <summary>Goes over names.</summary>
    /// <param name="rest">Each with its length before it.</param>
    /// <param name="left">How many there are.</param>
    public ref struct NameEnumerator(ReadOnlySpan<byte> rest, int left)
    {
        private ReadOnlySpan<byte> _rest = rest;
        private int _left = left;

        /// <summary>The name, in UTF-8.</summary>
        public ReadOnlySpan<byte> Current { get; private set; }

        /// <summary>From here on.</summary>
        public readonly NameEnumerator GetEnumerator() => this;

        /// <summary>Goes to the next name; false when there is none.</summary>
        public bool MoveNext()
        {
            if (_left == 0)
            {
                return false;
            }

            _left--;
            int length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
            Current = _rest.Slice(2, length);
            _rest = _rest[(2 + length)..];
            return true;
        }
    }
}
