using System.Globalization;

namespace Sketch.Storage.Store;

/// <summary>
/// A digest of rows (id, value) that does not depend on their order, one for each of 64 partitions: how many rows, and the sum of their hashes. The
/// same in C# and in ClickHouse, so that neither has to send its rows to the other.
/// </summary>
public sealed class RowDigest
{
    /// <summary>A row's hash in SQL, of columns id and value.</summary>
    internal const string Sql = "intHash64(bitXor(id, intHash64(reinterpretAsUInt64(toInt64(value)))))";

    /// <summary>A row's partition in SQL.</summary>
    internal const string PartitionSql = "toUInt8(bitShiftRight(id, 58))";

    private readonly (long Rows, ulong Hash)[] _parts = new (long, ulong)[Engine.Catalogue.CounterId.Partitions];

    /// <summary>Rows in all partitions.</summary>
    public long Rows => _parts.Sum(p => p.Rows);

    /// <summary>Adds a row.</summary>
    public void Add(ulong id, long value)
    {
        ref (long Rows, ulong Hash) part = ref _parts[Engine.Catalogue.CounterId.Partition(id)];
        part.Rows++;
        part.Hash += Hash(id ^ Hash(unchecked((ulong)value)));
    }

    /// <summary>Adds rows.</summary>
    public void Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> values)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            Add(ids[i], values[i]);
        }
    }

    /// <summary>Adds what SQL computed of a partition.</summary>
    internal void Add(int partition, long rows, ulong hash)
    {
        _parts[partition].Rows += rows;
        _parts[partition].Hash += hash;
    }

    /// <summary>Adds another digest's rows.</summary>
    public void Add(RowDigest other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (int i = 0; i < _parts.Length; i++)
        {
            Add(i, other._parts[i].Rows, other._parts[i].Hash);
        }
    }

    /// <summary>Partitions in which two digests differ.</summary>
    public IReadOnlyList<int> DiffersFrom(RowDigest other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return [.. Enumerable.Range(0, _parts.Length).Where(i => _parts[i] != other._parts[i])];
    }

    /// <summary>All partitions in one number of 16 digits.</summary>
    public override string ToString()
    {
        ulong all = 0;
        foreach ((long rows, ulong hash) in _parts)
        {
            all = Hash(all ^ Hash(hash ^ (ulong)rows));
        }

        return all.ToString("x16", CultureInfo.InvariantCulture);
    }

    /// <summary>ClickHouse's intHash64.</summary>
    internal static ulong Hash(ulong x)
    {
        x ^= 0x4CF2_D2BA_AE6D_A887;
        x ^= x >> 33;
        x *= 0xFF51_AFD7_ED55_8CCD;
        x ^= x >> 33;
        x *= 0xC4CE_B9FE_1A85_EC53;
        x ^= x >> 33;
        return x;
    }
}
