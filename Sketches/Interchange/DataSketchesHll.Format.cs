using System.Buffers;
using System.Buffers.Binary;

namespace Sketch.Sketches;

/// <content>The library's bytes: docs/formats/datasketches.md.</content>
public sealed partial class DataSketchesHll
{
    private const byte SerialVersion = 1;
    private const byte Family = 7;
    private const byte EmptyFlag = 4, CompactFlag = 8, MergedFlag = 16, AllFlags = 0x3f;
    private const int ListHeader = 8, SetHeader = 12, DenseHeader = 40;
    private const int AuxiliaryMark = 15;

    private enum Mode
    {
        List,
        Set,
        Dense,
    }

    /// <summary>Reads a sketch that the library wrote, in any of its forms.</summary>
    /// <param name="bytes">All of it, and nothing behind it.</param>
    /// <param name="maxPrecision">A sketch of more is refused before anything is allocated.</param>
    /// <exception cref="InvalidDataException">Not such a sketch, damaged, or too large.</exception>
    public static DataSketchesHll Read(ReadOnlySpan<byte> bytes, int maxPrecision = MaxPrecision)
    {
        Require(bytes.Length >= ListHeader, $"sketch is {bytes.Length} bytes; allowed {ListHeader} or more");
        Require(bytes[1] == SerialVersion, $"serial version is {bytes[1]}; allowed {SerialVersion}");
        Require(bytes[2] == Family, $"family is {bytes[2]}; allowed {Family} (HLL)");
        int precision = bytes[3], limit = Math.Min(maxPrecision, MaxPrecision);
        Require(precision >= MinPrecision && precision <= limit, $"precision is {precision}; allowed {MinPrecision} to {limit}");
        Require((bytes[5] & ~AllFlags) == 0, $"flags are {bytes[5]}; allowed 0 to {AllFlags}");
        Mode mode = (Mode)(bytes[7] & 3);
        DataSketchesHllType type = (DataSketchesHllType)(bytes[7] >> 2);
        Require(mode <= Mode.Dense && type <= DataSketchesHllType.Hll8, $"mode is {bytes[7]}; allowed a form of 0 to 2 and a type of 0 to 2");
        int header = mode switch { Mode.List => ListHeader, Mode.Set => SetHeader, _ => DenseHeader };
        Require(bytes[0] == header / 4, $"preamble is {bytes[0]} words; allowed {header / 4}");
        Require(bytes.Length >= header, $"sketch is {bytes.Length} bytes; allowed {header} or more");

        DataSketchesHll sketch = new(precision) { Type = type };
        bool compact = (bytes[5] & CompactFlag) != 0;
        if (mode == Mode.Dense)
            sketch.ReadRegisters(bytes, compact);
        else
            sketch.ReadCoupons(bytes, mode, compact);
        return sketch;
    }

    /// <summary>How many bytes <see cref="Write"/> writes.</summary>
    /// <param name="type">As there.</param>
    public int ByteCount(DataSketchesHllType type = DataSketchesHllType.Hll8) => _registers switch
    {
        null => (_coupons.IsList ? ListHeader : SetHeader) + _coupons.Count * sizeof(uint),
        _ when type == DataSketchesHllType.Hll6 => DenseHeader + _registers.Length / 4 * 3 + 1,
        _ => DenseHeader + _registers.Length,
    };

    /// <summary>Writes the sketch in its compact form. The library reads it, and may go on counting.</summary>
    /// <param name="writer">Receives <see cref="ByteCount"/> bytes.</param>
    /// <param name="type">The packing; 4 bits are read, but not written.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="type"/> is not one that is written.</exception>
    public void Write(IBufferWriter<byte> writer, DataSketchesHllType type = DataSketchesHllType.Hll8)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (type is not (DataSketchesHllType.Hll6 or DataSketchesHllType.Hll8))
            throw new ArgumentOutOfRangeException(nameof(type), type, $"type is {type}; allowed Hll6 and Hll8");
        int length = ByteCount(type);
        Span<byte> bytes = writer.GetSpan(length)[..length];
        bytes.Clear();
        Mode mode = IsDense ? Mode.Dense : _coupons.IsList ? Mode.List : Mode.Set;
        bytes[0] = (byte)(mode switch { Mode.List => 2, Mode.Set => 3, _ => 10 });
        bytes[1] = SerialVersion;
        bytes[2] = Family;
        bytes[3] = (byte)Precision;
        bytes[4] = (byte)(IsDense ? 0 : System.Numerics.BitOperations.Log2((uint)_coupons.Table.Length));
        bytes[5] = (byte)(CompactFlag | (IsEmpty ? EmptyFlag : 0) | (IsMerged ? MergedFlag : 0));
        bytes[7] = (byte)((int)mode | (int)type << 2);
        if (mode == Mode.Dense)
            WriteRegisters(bytes, type);
        else
            WriteCoupons(bytes, mode);
        writer.Advance(length);
    }

    private void ReadCoupons(ReadOnlySpan<byte> bytes, Mode mode, bool compact)
    {
        (int header, int most) = mode == Mode.List ? (ListHeader, Coupons.ListSize - 1) : (SetHeader, Coupons.MaxInSet(Precision));
        uint count = mode == Mode.List ? bytes[6] : BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        Require(count <= (uint)most, $"coupons are {count}; allowed 0 to {most}");
        int logSize = bytes[4];
        Require(compact || logSize is >= 3 and <= MaxPrecision - 3, $"table is 2^{logSize}; allowed 2^3 to 2^{MaxPrecision - 3}");
        bool empty = mode == Mode.List && count == 0 && bytes.Length == header;
        int places = compact || empty ? (int)count : 1 << logSize;
        RequireLength(bytes, header + places * sizeof(uint));
        for (int i = 0; i < places; i++)
        {
            uint coupon = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(header + i * sizeof(uint))..]);
            if (coupon == 0 && !compact)
                continue;
            Require(Coupons.IsValid(coupon), $"coupon {i} is {coupon:x8}; allowed a rank of 1 to {MaxRank}");
            Require(_coupons.Count < count && _coupons.Add(coupon, Precision), $"coupons are more than {count}, the number that is stated");
        }

        Require(_coupons.Count == count, $"coupons are {_coupons.Count}; allowed {count}, the number that is stated");
    }

    private void ReadRegisters(ReadOnlySpan<byte> bytes, bool compact)
    {
        double historic = BinaryPrimitives.ReadDoubleLittleEndian(bytes[8..]);
        Require(double.IsFinite(historic) && historic >= 0, $"historic estimate is {historic}; allowed 0 or more");
        int registers = 1 << Precision;
        ReadOnlySpan<byte> array = bytes[DenseHeader..];
        uint auxiliary = BinaryPrimitives.ReadUInt32LittleEndian(bytes[36..]);
        Require(auxiliary == 0 || Type == DataSketchesHllType.Hll4, $"auxiliary entries are {auxiliary}; allowed 0 for {Type}");
        switch (Type)
        {
            case DataSketchesHllType.Hll8:
                RequireLength(bytes, DenseHeader + registers);
                int invalid = array.IndexOfAnyExceptInRange((byte)0, (byte)MaxRank);
                Require(invalid < 0, $"register {invalid} is above {MaxRank}");
                _registers = array.ToArray();
                break;
            case DataSketchesHllType.Hll6:
                RequireLength(bytes, DenseHeader + registers / 4 * 3 + 1);
                _registers = new byte[registers];
                for (int i = 0; i < registers; i++)
                    _registers[i] = (byte)(BinaryPrimitives.ReadUInt16LittleEndian(array[(i * 6 / 8)..]) >> (i * 6 % 8) & MaxRank);
                break;
            default:
                Read4Bits(bytes, array, (int)Math.Min(auxiliary, int.MaxValue), compact);
                break;
        }

        IsMerged = (bytes[5] & MergedFlag) != 0;
        _historic = IsMerged ? 0 : historic;
        // The sums in the header say nothing that the registers do not: they are made anew rather than believed.
        CountRegisters();
    }

    private void Read4Bits(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> array, int auxiliary, bool compact)
    {
        int registers = 1 << Precision, minimum = bytes[6], logSize = bytes[4];
        Require(minimum < MaxRank, $"minimum is {minimum}; allowed 0 to {MaxRank - 1}");
        Require(auxiliary <= registers, $"auxiliary entries are {auxiliary}; allowed 0 to {registers}");
        Require(logSize <= Precision, $"auxiliary table is 2^{logSize}; allowed 2^0 to 2^{Precision}");
        int end = registers / 2;
        // An updatable sketch without entries still has room for some behind it: zeros, of a size that depends on the version.
        bool vacant = !compact && auxiliary == 0;
        int places = compact ? auxiliary : vacant ? (array.Length - end) / sizeof(uint) : 1 << logSize;
        Require(!vacant || places <= registers, $"sketch is {bytes.Length} bytes; allowed up to {DenseHeader + end + registers * sizeof(uint)}");
        RequireLength(bytes, DenseHeader + end + places * sizeof(uint));

        byte[] ranks = new byte[registers];
        int marks = 0;
        for (int i = 0; i < registers; i++)
        {
            int nibble = array[i / 2] >> (i % 2 * 4) & 15;
            marks += nibble == AuxiliaryMark ? 1 : 0;
            ranks[i] = nibble == AuxiliaryMark ? byte.MaxValue : (byte)(nibble + minimum);
            Require(nibble == AuxiliaryMark || ranks[i] <= MaxRank, $"register {i} is {ranks[i]}; allowed 0 to {MaxRank}");
        }

        Require(marks == auxiliary, $"auxiliary entries are {auxiliary}; allowed {marks}, the registers that refer to one");
        for (int i = 0; i < places; i++)
        {
            uint entry = BinaryPrimitives.ReadUInt32LittleEndian(array[(end + i * sizeof(uint))..]);
            if (entry == 0 && !compact)
                continue;
            uint slot = entry & Coupons.IndexMask, rank = entry >> Coupons.RankShift;
            bool referred = slot < registers && ranks[slot] == byte.MaxValue;
            Require(referred && rank >= minimum + AuxiliaryMark, $"auxiliary entry {i} is {entry:x8}; allowed one for each register that refers to it, at least {minimum + AuxiliaryMark}");
            ranks[slot] = (byte)rank;
            marks--;
        }

        Require(marks == 0, $"{marks} registers refer to no auxiliary entry; allowed 0");
        _registers = ranks;
    }

    private void WriteCoupons(Span<byte> bytes, Mode mode)
    {
        if (mode == Mode.List)
            bytes[6] = (byte)_coupons.Count;
        else
            BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], _coupons.Count);
        Span<byte> at = bytes[(mode == Mode.List ? ListHeader : SetHeader)..];
        foreach (uint coupon in _coupons.Table)
        {
            if (coupon == 0)
                continue;
            BinaryPrimitives.WriteUInt32LittleEndian(at, coupon);
            at = at[sizeof(uint)..];
        }
    }

    private void WriteRegisters(Span<byte> bytes, DataSketchesHllType type)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[8..], _historic);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[16..], _inverseLow);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[24..], _inverseHigh);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[32..], _zeros);
        Span<byte> array = bytes[DenseHeader..];
        if (type == DataSketchesHllType.Hll8)
        {
            _registers.CopyTo(array);
            return;
        }

        for (int i = 0; i < _registers!.Length; i++)
        {
            Span<byte> pair = array[(i * 6 / 8)..];
            int shifted = _registers[i] << (i * 6 % 8);
            BinaryPrimitives.WriteUInt16LittleEndian(pair, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(pair) | shifted));
        }
    }

    private static void RequireLength(ReadOnlySpan<byte> bytes, int expected) =>
        Require(bytes.Length == expected, $"sketch is {bytes.Length} bytes; allowed {expected} for what its header says");

    private static void Require(bool fulfilled, [System.Runtime.CompilerServices.InterpolatedStringHandlerArgument(nameof(fulfilled))] ref RefusalMessage message)
    {
        if (!fulfilled)
            throw new InvalidDataException(message.ToStringAndClear());
    }
}
