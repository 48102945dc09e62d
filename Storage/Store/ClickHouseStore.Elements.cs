using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.ADO.Readers;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Storage.Store;

/// <content>
/// Counters that take elements. Rows of distinct counters may be stored again without effect: registers merge by their maximum, members are a set, and of the rest the
/// latest position counts.
/// </content>
public sealed partial class ClickHouseStore
{
    private const int DistinctsBatch = 1_024;
    private const int MembersBatch = 65_536;
    private const int MemberBytes = 32;

    /// <inheritdoc/>
    public IAsyncEnumerable<IReadOnlyList<StoredDistinct>> ReadDistinctsAsync(CancellationToken cancellationToken) => ReadDistinctsAsync(null, cancellationToken);

    /// <summary>The same, of one partition only.</summary>
    /// <param name="partition">The partition; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<IReadOnlyList<StoredDistinct>> ReadDistinctsAsync(int? partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!await IsAnyAsync("kind = 'distinct'", cancellationToken))
        {
            yield break;
        }

        // The saved sketch in hexadecimal digits: the driver takes strings for texts.
        string sql = $"""
            SELECT id, generation, latest.position, registers.1, registers.2, latest.exact, latest.exact_count, latest.added, latest.changes,
                latest.new_elements, latest.variance, hex(latest.sketch)
            FROM
            (
                SELECT id, generation, maxMap(registers) AS registers, max(latest) AS latest
                FROM sketch.distinct_rows
                WHERE id IN (SELECT id FROM sketch.counter_rows FINAL WHERE {OfKind("distinct", partition)})
                GROUP BY id, generation
            )
            ORDER BY id, generation DESC LIMIT 1 BY id
            """;
        List<StoredDistinct> batch = new(DistinctsBatch);
        await foreach (ClickHouseDataReader row in RowsAsync(sql, null, cancellationToken))
        {
            batch.Add(new StoredDistinct(
                row.GetFieldValue<ulong>(0), (long)row.GetFieldValue<ulong>(1), (long)row.GetFieldValue<ulong>(2), row.GetFieldValue<uint[]>(3),
                row.GetFieldValue<byte[]>(4), row.GetFieldValue<byte>(5) != 0, (long)row.GetFieldValue<ulong>(6), (long)row.GetFieldValue<ulong>(7),
                (long)row.GetFieldValue<ulong>(8), row.GetDouble(9), row.GetDouble(10), Convert.FromHexString(row.GetString(11))));
            if (batch.Count == DistinctsBatch)
            {
                yield return batch;
                batch.Clear();
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<IReadOnlyList<StoredMember>> ReadMembersAsync(CancellationToken cancellationToken) =>
        ReadMembersAsync("id, generation, member", null, cancellationToken);

    private async IAsyncEnumerable<IReadOnlyList<StoredMember>> ReadMembersAsync(
        string columns, int? partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!await IsAnyAsync("kind = 'distinct'", cancellationToken))
        {
            yield break;
        }

        string sql = $"""
            SELECT {columns} FROM sketch.member_rows
            WHERE (id, generation) IN (SELECT id, generation FROM sketch.counter_rows FINAL WHERE {OfKind("distinct", partition)})
            FORMAT RowBinary
            """;
        using ClickHouseRawResult result = await GuardAsync(
            () => _client.ExecuteRawResultAsync(sql, null, cancellationToken), cancellationToken);
        await using Stream stream = await GuardAsync(result.ReadAsStreamAsync, cancellationToken);
        byte[] buffer = new byte[MembersBatch * MemberBytes];
        List<StoredMember> batch = new(MembersBatch);
        for (int read = buffer.Length; read == buffer.Length;)
        {
            read = await GuardAsync(() => stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).AsTask(), cancellationToken);
            if (read % MemberBytes != 0)
            {
                throw new CheckpointStoreException($"ClickHouse's answer breaks off within a member; {read % MemberBytes} bytes are left");
            }

            batch.Clear();
            for (int at = 0; at < read; at += MemberBytes)
            {
                ReadOnlySpan<byte> row = buffer.AsSpan(at, MemberBytes);
                batch.Add(new StoredMember(
                    BinaryPrimitives.ReadUInt64LittleEndian(row), BinaryPrimitives.ReadInt64LittleEndian(row[8..]), BinaryPrimitives.ReadUInt128LittleEndian(row[16..])));
            }

            if (batch.Count > 0)
            {
                yield return batch;
            }
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<IReadOnlyList<StoredItem>> ReadItemsAsync(LogIdentity log, long position, int limit, CancellationToken cancellationToken) =>
        ReadItemsAsync(position, limit, null, cancellationToken);

    /// <summary>Items of counters of the kind top by counter, the largest first.</summary>
    /// <param name="position">Windows after it are left out.</param>
    /// <param name="limit">The most items of a counter.</param>
    /// <param name="partition">Only this partition's; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<IReadOnlyList<StoredItem>> ReadItemsAsync(
        long position, int limit, int? partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!await IsAnyAsync("kind = 'top'", cancellationToken))
        {
            yield break;
        }

        // Windows are stored one after the other: at most one is not whole, and it is the last that an item knows of.
        string sql = string.Create(CultureInfo.InvariantCulture,
            $"""
            SELECT id, generation, item, total
            FROM
            (
                SELECT id, generation, item, sum(value) - if(max(last).1 > {position}, max(last).2, 0) AS total
                FROM sketch.item_rows
                WHERE (id, generation) IN (SELECT id, generation FROM sketch.counter_rows FINAL WHERE {OfKind("top", partition)})
                GROUP BY id, generation, item
            )
            ORDER BY id, total DESC, item LIMIT {limit} BY id
            """);
        List<StoredItem> batch = new(DistinctsBatch);
        await foreach (ClickHouseDataReader row in RowsAsync(sql, null, cancellationToken))
        {
            batch.Add(new StoredItem(row.GetFieldValue<ulong>(0), (long)row.GetFieldValue<ulong>(1), row.GetString(2), row.GetInt64(3)));
            if (batch.Count == DistinctsBatch)
            {
                yield return batch;
                batch.Clear();
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    /// <summary>The condition on rows of counters, merged, that they are of a kind.</summary>
    private static string OfKind(string kind, int? partition) => $"kind = '{kind}' AND NOT deleted AND {IdsOf(partition)}";

    private async Task StoreElementsAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        await StoreMembersAsync(checkpoint, cancellationToken);
        await StoreDistinctsAsync(checkpoint, cancellationToken);
        await StoreSeenAsync(checkpoint, cancellationToken);
        await StoreItemsAsync(checkpoint, cancellationToken);
    }

    private async Task StoreItemsAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        for (int start = 0, number = 0; start < checkpoint.Items.Count; start += _options.ChunkRows, number++)
        {
            ItemRow[] rows = [.. checkpoint.Items.Skip(start).Take(_options.ChunkRows)];
            ChunkKey key = new(checkpoint.Log, checkpoint.From, checkpoint.To, number);
            await InsertAsync("item_rows", "namespace, id, generation, item, value, last", key, 6, rows.Length, async (block, token) =>
            {
                await block.TextsAsync("namespace", rows.Select(r => r.Namespace), token);
                await block.ColumnAsync("id", "UInt64", rows.Select(r => r.Id).ToArray(), token);
                await block.ColumnAsync("generation", "UInt64", rows.Select(r => (ulong)r.Generation).ToArray(), token);
                await block.TextsAsync("item", rows.Select(r => r.Item), token);
                block.Begin("value", "Int64");
                await block.ValuesAsync(rows.Select(r => r.Delta), token);
                block.Begin("last", "Tuple(position UInt64, delta Int64)");
                await block.ValuesAsync(rows.Select(_ => (ulong)checkpoint.To), token);
                await block.ValuesAsync(rows.Select(r => r.Delta), token);
            }, cancellationToken);
        }
    }

    // Dense states of many counters are large: blocks are cut small, always alike.
    private async Task StoreDistinctsAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        int most = Math.Min(_options.ChunkRows, 10_000);
        for (int start = 0, number = 0; start < checkpoint.Distincts.Count; start += most, number++)
        {
            DistinctRow[] rows = [.. checkpoint.Distincts.Skip(start).Take(most)];
            ChunkKey key = new(checkpoint.Log, checkpoint.From, checkpoint.To, number);
            await InsertAsync("distinct_rows", "namespace, id, generation, registers, latest", key, 5, rows.Length, async (block, token) =>
            {
                await block.TextsAsync("namespace", rows.Select(r => r.Namespace), token);
                await block.ColumnAsync("id", "UInt64", rows.Select(r => r.Id).ToArray(), token);
                await block.ColumnAsync("generation", "UInt64", rows.Select(r => (ulong)r.Generation).ToArray(), token);
                block.Begin("registers", "Tuple(Array(UInt32), Array(UInt8))");
                await block.ArraysAsync(rows.Select(r => r.Indexes), token);
                await block.ArraysAsync(rows.Select(r => r.Ranks), token);
                block.Begin("latest", StoreSchema.LatestType);
                await block.ValuesAsync(rows.Select(r => (ulong)r.Position), token);
                await block.ValuesAsync(rows.Select(r => (ulong)r.Value), token);
                await block.ValuesAsync(rows.Select(r => r.IsExact ? (byte)1 : (byte)0), token);
                await block.ValuesAsync(rows.Select(r => (ulong)r.ExactCount), token);
                await block.ValuesAsync(rows.Select(r => (ulong)r.Added), token);
                await block.ValuesAsync(rows.Select(r => (ulong)r.Changes), token);
                await block.ValuesAsync(rows.Select(r => r.NewElements), token);
                await block.ValuesAsync(rows.Select(r => r.Variance), token);
                await block.BytesAsync(rows.Select(r => r.Sketch), token);
            }, cancellationToken);
        }
    }

    private async Task StoreMembersAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        (DistinctRow Row, UInt128 Member)[] all = [.. checkpoint.Distincts.SelectMany(r => r.NewMembers.Order().Select(m => (r, m)))];
        for (int start = 0, number = 0; start < all.Length; start += _options.ChunkRows, number++)
        {
            ArraySegment<(DistinctRow Row, UInt128 Member)> rows = new(all, start, Math.Min(_options.ChunkRows, all.Length - start));
            ChunkKey key = new(checkpoint.Log, checkpoint.From, checkpoint.To, number);
            await InsertAsync("member_rows", "namespace, id, generation, member", key, 4, rows.Count, async (block, token) =>
            {
                await block.TextsAsync("namespace", rows.Select(r => r.Row.Namespace), token);
                await block.ColumnAsync("id", "UInt64", rows.Select(r => r.Row.Id).ToArray(), token);
                await block.ColumnAsync("generation", "UInt64", rows.Select(r => (ulong)r.Row.Generation).ToArray(), token);
                block.Begin("member", "UInt128");
                await block.ValuesAsync(rows.Select(r => r.Member), token);
            }, cancellationToken);
        }
    }
}
