using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace Sketch.Storage.Store;

/// <summary>
/// Writes one block of ClickHouse's Native format, a column after the other: counts of columns and rows, then for each column name, type and values.
/// One block per INSERT is what makes a retry land once: ClickHouse's deduplication works by blocks.
/// </summary>
internal sealed class NativeBlock : IDisposable
{
    private const int FlushBytes = 1 << 18;

    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _buffer = new(FlushBytes * 2);
    private readonly int _rows;

    /// <summary>Begins a block.</summary>
    /// <param name="stream">Where it goes.</param>
    /// <param name="columns">How many columns will follow.</param>
    /// <param name="rows">How many rows each of them has; at least one.</param>
    public NativeBlock(Stream stream, int columns, int rows)
    {
        _stream = stream;
        _rows = rows;
        VarUInt((ulong)columns);
        VarUInt((ulong)rows);
    }

    /// <summary>Columns of 64-bit numbers; the span has one for each row.</summary>
    public async ValueTask ColumnAsync(string name, string type, ReadOnlyMemory<ulong> values, CancellationToken cancellationToken)
    {
        Header(name, type);
        await WriteAsync(values, cancellationToken);
    }

    /// <summary>The same number in every row.</summary>
    public async ValueTask ConstantAsync<T>(string name, string type, T value, CancellationToken cancellationToken) where T : unmanaged
    {
        Header(name, type);
        T[] some = ArrayPool<T>.Shared.Rent(Math.Min(_rows, 1 << 14));
        try
        {
            some.AsSpan().Fill(value);
            for (int left = _rows; left > 0;)
            {
                int part = Math.Min(left, some.Length);
                _buffer.Write(MemoryMarshal.AsBytes(some.AsSpan(0, part)));
                left -= part;
                await FlushAsync(cancellationToken);
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(some);
        }
    }

    /// <summary>The same as <see cref="ConstantAsync{T}"/> at a byte a row, of types that a LowCardinality may hold: ClickHouse makes the column's own type of it.</summary>
    public ValueTask RepeatedAsync<T>(string name, string type, T value, CancellationToken cancellationToken) where T : unmanaged =>
        RunsAsync(name, type, [(value, _rows)], cancellationToken);

    /// <summary>Numbers in runs: each for so many rows. Each number travels once.</summary>
    public ValueTask RunsAsync<T>(string name, string type, IReadOnlyList<(T Value, int Rows)> runs, CancellationToken cancellationToken) where T : unmanaged =>
        RunsAsync(name, type, runs, Write, cancellationToken);

    /// <summary>Strings in runs: each for so many rows. Each string travels once.</summary>
    public ValueTask RunsAsync(string name, IReadOnlyList<(string Value, int Rows)> runs, CancellationToken cancellationToken) =>
        RunsAsync(name, "String", runs, Text, cancellationToken);

    /// <summary>One string for each row.</summary>
    public async ValueTask TextsAsync(string name, IEnumerable<string> values, CancellationToken cancellationToken)
    {
        Header(name, "String");
        foreach (string value in values)
        {
            Text(value);
            if (_buffer.WrittenCount >= FlushBytes)
            {
                await FlushAsync(cancellationToken);
            }
        }
    }

    /// <summary>One map of strings for each row: where each ends, then all keys, then all values.</summary>
    public async ValueTask MapsAsync(string name, IEnumerable<IReadOnlyDictionary<string, string>> maps, CancellationToken cancellationToken)
    {
        Header(name, "Map(String, String)");
        // One order for both passes, and the same in every retry.
        List<KeyValuePair<string, string>> pairs = [];
        await ValuesAsync(maps.Select(map => (ulong)AddTo(pairs, map)), cancellationToken);
        foreach (KeyValuePair<string, string> pair in pairs)
        {
            Text(pair.Key);
        }

        foreach (KeyValuePair<string, string> pair in pairs)
        {
            Text(pair.Value);
        }
    }

    /// <summary>Begins a column whose values follow by the methods below; the parts of a tuple one after the other.</summary>
    public void Begin(string name, string type) => Header(name, type);

    /// <summary>Numbers.</summary>
    public async ValueTask ValuesAsync<T>(IEnumerable<T> values, CancellationToken cancellationToken) where T : unmanaged
    {
        foreach (T value in values)
        {
            Write(value);
            if (_buffer.WrittenCount >= FlushBytes)
            {
                await FlushAsync(cancellationToken);
            }
        }
    }

    /// <summary>Arrays of numbers: where each ends, then all values.</summary>
    public async ValueTask ArraysAsync<T>(IEnumerable<IReadOnlyList<T>> arrays, CancellationToken cancellationToken) where T : unmanaged
    {
        ulong end = 0;
        await ValuesAsync(arrays.Select(a => end += (ulong)a.Count), cancellationToken);
        await ValuesAsync(arrays.SelectMany(a => a), cancellationToken);
    }

    /// <summary>Strings of bytes.</summary>
    public async ValueTask BytesAsync(IEnumerable<ReadOnlyMemory<byte>> values, CancellationToken cancellationToken)
    {
        foreach (ReadOnlyMemory<byte> value in values)
        {
            VarUInt((ulong)value.Length);
            _buffer.Write(value.Span);
            if (_buffer.WrittenCount >= FlushBytes)
            {
                await FlushAsync(cancellationToken);
            }
        }
    }

    /// <summary>Sends what is left of the block.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await _stream.WriteAsync(_buffer.WrittenMemory, cancellationToken);
        _buffer.ResetWrittenCount();
    }

    /// <summary>Lets go of what was not sent.</summary>
    public void Dispose() => _buffer.ResetWrittenCount();

    private async ValueTask WriteAsync(ReadOnlyMemory<ulong> values, CancellationToken cancellationToken)
    {
        const int Part = FlushBytes / sizeof(ulong);
        for (int at = 0; at < values.Length; at += Part)
        {
            _buffer.Write(MemoryMarshal.AsBytes(values.Span.Slice(at, Math.Min(Part, values.Length - at))));
            await FlushAsync(cancellationToken);
        }
    }

    /// <summary>
    /// A column of the type LowCardinality: version, flags (the keys' width, and that the block has its dictionary with it), the dictionary, and a key for each row
    /// (ClickHouse, SerializationLowCardinality).
    /// </summary>
    private async ValueTask RunsAsync<T>(string name, string type, IReadOnlyList<(T Value, int Rows)> runs, Action<T> write, CancellationToken cancellationToken) where T : notnull
    {
        Header(name, $"LowCardinality({type})");
        OrderedDictionary<T, uint> keys = [];
        foreach ((T value, _) in runs)
        {
            keys.TryAdd(value, (uint)keys.Count);
        }

        int keyBytes = keys.Count <= 1 << 8 ? 1 : keys.Count <= 1 << 16 ? 2 : 4;
        Write(1UL);
        Write((ulong)BitOperations.Log2((uint)keyBytes) | 1UL << 9);
        Write((ulong)keys.Count);
        foreach (T value in keys.Keys)
        {
            write(value);
        }

        Write((ulong)_rows);
        foreach ((T value, int rows) in runs)
        {
            await KeysAsync(keys[value], rows, keyBytes, cancellationToken);
        }
    }

    private async ValueTask KeysAsync(uint key, int rows, int keyBytes, CancellationToken cancellationToken)
    {
        for (int left = rows; left > 0;)
        {
            int part = Math.Min(left, FlushBytes / keyBytes);
            Span<byte> room = _buffer.GetSpan(part * keyBytes)[..(part * keyBytes)];
            switch (keyBytes)
            {
                case 1: room.Fill((byte)key); break;
                case 2: MemoryMarshal.Cast<byte, ushort>(room).Fill((ushort)key); break;
                default: MemoryMarshal.Cast<byte, uint>(room).Fill(key); break;
            }

            _buffer.Advance(room.Length);
            left -= part;
            if (_buffer.WrittenCount >= FlushBytes)
            {
                await FlushAsync(cancellationToken);
            }
        }
    }

    // How many there are then. Most counters have no labels.
    private static int AddTo(List<KeyValuePair<string, string>> pairs, IReadOnlyDictionary<string, string> map)
    {
        if (map.Count > 0)
        {
            pairs.AddRange(map.OrderBy(p => p.Key, StringComparer.Ordinal));
        }

        return pairs.Count;
    }

    private void Header(string name, string type)
    {
        Text(name);
        Text(type);
    }

    private void Write<T>(T value) where T : unmanaged => _buffer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    private void Text(string value)
    {
        int bytes = Encoding.UTF8.GetByteCount(value);
        VarUInt((ulong)bytes);
        _buffer.Advance(Encoding.UTF8.GetBytes(value, _buffer.GetSpan(bytes)));
    }

    private void VarUInt(ulong value)
    {
        Span<byte> room = _buffer.GetSpan(10);
        int length = 0;
        while (value >= 0x80)
        {
            room[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        room[length++] = (byte)value;
        _buffer.Advance(length);
    }
}
