using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Sketch.Engine.Checkpoints;

namespace Sketch.Storage.Store;

/// <summary>A column of a block that is being read.</summary>
/// <param name="type">ClickHouse's name of its type.</param>
internal abstract class NativeColumn(string type)
{
    /// <summary>ClickHouse's name of its type.</summary>
    public string Type => type;

    /// <summary>Whether all rows have come.</summary>
    public bool IsWhole => Taken == Rows;

    /// <summary>How many rows the block has.</summary>
    protected int Rows { get; private set; }

    /// <summary>How many of them have come.</summary>
    protected int Taken { get; set; }

    /// <summary>A block begins.</summary>
    /// <param name="rows">How many rows it has.</param>
    public void Begin(int rows)
    {
        (Rows, Taken) = (rows, 0);
        MakeRoom(rows);
    }

    /// <summary>ClickHouse's VarUInt: seven bits a byte, the lowest first.</summary>
    /// <param name="bytes">What has come.</param>
    /// <param name="at">Where it begins.</param>
    /// <param name="value">Gets it.</param>
    /// <returns>How many bytes it has; zero when not all of them have come.</returns>
    /// <exception cref="CheckpointStoreException">It is larger than any block.</exception>
    public static int VarUInt(ReadOnlySpan<byte> bytes, int at, out int value)
    {
        value = 0;
        for (int i = at; i < bytes.Length; i++)
        {
            int shift = 7 * (i - at);
            if (shift > 28 || (shift == 28 && bytes[i] > 7))
            {
                throw new CheckpointStoreException("ClickHouse's answer holds a length beyond 2^31 - 1");
            }

            value |= (bytes[i] & 0x7F) << shift;
            if (bytes[i] < 0x80)
            {
                return i - at + 1;
            }
        }

        return 0;
    }

    /// <summary>Takes in whole rows out of what has come.</summary>
    /// <param name="bytes">What has come of the block.</param>
    /// <param name="at">Where the column goes on.</param>
    /// <returns>How many bytes these rows were.</returns>
    public abstract int Take(ReadOnlySpan<byte> bytes, int at);

    /// <summary>Makes room for so many rows.</summary>
    protected abstract void MakeRoom(int rows);
}

/// <summary>Numbers, all of one size.</summary>
/// <typeparam name="T">What they are.</typeparam>
/// <param name="type">ClickHouse's name of it.</param>
internal sealed class NumberColumn<T>(string type) : NativeColumn(type) where T : unmanaged
{
    private T[] _values = [];

    /// <summary>The numbers, one for each row of the block.</summary>
    public ReadOnlyMemory<T> Values => _values.AsMemory(0, Rows);

    /// <inheritdoc/>
    public override int Take(ReadOnlySpan<byte> bytes, int at)
    {
        int rows = Math.Min(Rows - Taken, (bytes.Length - at) / Unsafe.SizeOf<T>());
        int length = rows * Unsafe.SizeOf<T>();
        bytes.Slice(at, length).CopyTo(MemoryMarshal.AsBytes(_values.AsSpan(Taken, rows)));
        Taken += rows;
        return length;
    }

    /// <inheritdoc/>
    protected override void MakeRoom(int rows) => _values = _values.Length < rows ? new T[rows] : _values;
}

/// <summary>Strings, which stay where they came.</summary>
internal sealed class TextColumn() : NativeColumn("String")
{
    private TextPlace[] _places = [];

    /// <summary>Where each row's string is in the block.</summary>
    public ReadOnlyMemory<TextPlace> Places => _places.AsMemory(0, Rows);

    /// <inheritdoc/>
    public override int Take(ReadOnlySpan<byte> bytes, int at)
    {
        int next = at;
        Span<TextPlace> places = _places.AsSpan(0, Rows);
        int row = Taken;
        for (; row < places.Length; row++)
        {
            int prefix = VarUInt(bytes, next, out int length);
            if (prefix == 0 || bytes.Length - next - prefix < length)
            {
                break;
            }

            places[row] = new TextPlace(next + prefix, length);
            next += prefix + length;
        }

        Taken = row;
        return next - at;
    }

    /// <inheritdoc/>
    protected override void MakeRoom(int rows) => _places = _places.Length < rows ? new TextPlace[rows] : _places;
}

/// <summary>Strings of which few are different: ClickHouse's LowCardinality, a block's dictionary and the row's place in it.</summary>
internal sealed class RunColumn() : NativeColumn("LowCardinality(String)")
{
    private const int Word = sizeof(ulong);

    /// <summary>The dictionary follows and is this block's alone. The lowest byte beside says how wide a place in it is.</summary>
    private const ulong OwnDictionary = 1 << 9;
    private const ulong SharedDictionary = 1 << 8;

    private readonly List<(string Value, int From, int Count)> _runs = [];

    /// <summary>Rows with the same string after each other, from first to last.</summary>
    public IReadOnlyList<(string Value, int From, int Count)> Runs => _runs;

    /// <inheritdoc/>
    /// <remarks>All rows or none: a dictionary and a byte or two a row are soon there.</remarks>
    public override int Take(ReadOnlySpan<byte> bytes, int at)
    {
        // Version, flags, how many strings there are, these, how many rows, these.
        int next = at + (3 * Word);
        if (bytes.Length < next)
        {
            return 0;
        }

        ulong flags = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(at + Word)..]);
        if ((flags & (OwnDictionary | SharedDictionary)) != OwnDictionary || (byte)flags > 2)
        {
            throw new CheckpointStoreException($"ClickHouse answers with a LowCardinality of the flags {flags:x}");
        }

        List<string> values = [];
        for (ulong left = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(at + (2 * Word))..]); left > 0; left--)
        {
            int prefix = VarUInt(bytes, next, out int length);
            if (prefix == 0 || bytes.Length - next - prefix < length)
            {
                return 0;
            }

            values.Add(Encoding.UTF8.GetString(bytes.Slice(next + prefix, length)));
            next += prefix + length;
        }

        int width = 1 << (byte)flags;
        next += Word;
        if (bytes.Length - next < (long)width * Rows)
        {
            return 0;
        }

        ulong rows = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(next - Word)..]);
        if (rows != (ulong)Rows)
        {
            throw new CheckpointStoreException($"ClickHouse answers with a LowCardinality of {rows} rows in a block of {Rows}");
        }

        ReadOnlySpan<byte> places = bytes.Slice(next, width * Rows);
        switch (width)
        {
            case 1:
                AddRuns(places, values);
                break;
            case 2:
                AddRuns(MemoryMarshal.Cast<byte, ushort>(places), values);
                break;
            default:
                AddRuns(MemoryMarshal.Cast<byte, uint>(places), values);
                break;
        }

        Taken = Rows;
        return next + places.Length - at;
    }

    /// <inheritdoc/>
    protected override void MakeRoom(int rows) => _runs.Clear();

    private void AddRuns<T>(ReadOnlySpan<T> places, List<string> values) where T : unmanaged, IBinaryInteger<T>
    {
        for (int from = 0, count; from < places.Length; from += count)
        {
            count = places[from..].IndexOfAnyExcept(places[from]);
            count = count < 0 ? places.Length - from : count;
            int place = int.CreateSaturating(places[from]);
            if (place >= values.Count)
            {
                throw new CheckpointStoreException($"ClickHouse answers with place {place} in a dictionary of {values.Count}");
            }

            _runs.Add((values[place], from, count));
        }
    }
}
