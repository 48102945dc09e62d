using System.Globalization;
using System.Runtime.CompilerServices;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.ADO.Readers;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Storage.Store;

/// <summary>A window as the table checkpoints has it.</summary>
/// <param name="From">Its first position.</param>
/// <param name="To">Its last position.</param>
/// <param name="Increments">Increments in it.</param>
public readonly record struct StoredWindow(long From, long To, long Increments);

/// <content>What verification asks: digests of what is stored, computed where it is.</content>
public sealed partial class ClickHouseStore
{
    private const int TotalBytes = 16;

    /// <summary>Stored windows that end after a position, in order.</summary>
    public async Task<List<StoredWindow>> ReadWindowsAsync(LogIdentity log, long after, long upTo, CancellationToken cancellationToken)
    {
        List<StoredWindow> windows = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"""
                SELECT toInt64(from_position), toInt64(to_position), toInt64(increments) FROM sketch.checkpoints
                WHERE log = {log.Number} AND incarnation = {log.Incarnation} AND to_position > {after} AND to_position <= {upTo} ORDER BY to_position
                """), null, cancellationToken))
        {
            windows.Add(new StoredWindow(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)));
        }

        return windows;
    }

    /// <summary>The first day of log time whose deltas are kept; null when there are none.</summary>
    public async Task<DateTime?> FirstDayOfDeltasAsync(CancellationToken cancellationToken)
    {
        await foreach (ClickHouseDataReader row in RowsAsync(
            $"SELECT min(partition) FROM {_layout.Parts} WHERE database = 'sketch' AND table = '{_layout.PartsOf("deltas")}' AND active", null, cancellationToken))
        {
            return DateTime.TryParseExact(row.GetString(0), "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime day)
                ? day
                : null;
        }

        return null;
    }

    /// <summary>The deltas of one window.</summary>
    /// <param name="log">Which log.</param>
    /// <param name="window">Which window.</param>
    /// <param name="without">Counters that are left out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<RowDigest> DigestDeltasAsync(LogIdentity log, StoredWindow window, IReadOnlyList<ulong> without, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(without);
        string left = without.Count == 0 ? "" : $" AND id NOT IN ({string.Join(", ", without.Select(i => i.ToString(CultureInfo.InvariantCulture)))})";
        return DigestAsync(string.Create(CultureInfo.InvariantCulture,
            $"SELECT id, delta AS value FROM sketch.deltas WHERE log = {log.Number} AND to_position = {window.To} AND from_position = {window.From}{left}"), cancellationToken);
    }

    /// <summary>An hour of history, as its table has it and as its deltas add up to.</summary>
    /// <param name="hour">The hour.</param>
    /// <param name="pause">Held meanwhile.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<(RowDigest Hours, RowDigest Deltas)> DigestHourAsync(DateTimeOffset hour, StorePause pause, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pause);
        long start = hour.ToUnixTimeSeconds();
        return (
            await DigestAsync(string.Create(CultureInfo.InvariantCulture, $"SELECT id, sum(value) AS value FROM sketch.hourly_rows WHERE hour = toDateTime({start}, 'UTC') GROUP BY id"), cancellationToken),
            await DigestAsync(string.Create(CultureInfo.InvariantCulture,
                $"""
                SELECT id, sum(delta) AS value FROM sketch.deltas
                WHERE time >= toDateTime64({start}, 3, 'UTC') AND time < toDateTime64({start + 3600}, 3, 'UTC') GROUP BY id
                """), cancellationToken));
    }

    /// <summary>A day of history, as its table has it and as its hours add up to.</summary>
    /// <param name="day">The day.</param>
    /// <param name="pause">Held meanwhile.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<(RowDigest Days, RowDigest Hours)> DigestDayAsync(DateTime day, StorePause pause, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pause);
        return (
            await DigestAsync($"SELECT id, sum(value) AS value FROM sketch.daily_rows WHERE day = '{day:yyyy-MM-dd}' GROUP BY id", cancellationToken),
            await DigestAsync($"SELECT id, sum(value) AS value FROM sketch.hourly_rows WHERE toDate(hour) = '{day:yyyy-MM-dd}' GROUP BY id", cancellationToken));
    }

    /// <summary>Exact totals at the pause's position, by id; each batch is valid until the next is asked for.</summary>
    /// <param name="pause">Held until all is read.</param>
    /// <param name="partition">Only this partition's; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<IReadOnlyList<(ulong Id, long Total)>> ReadTotalsAsync(
        StorePause pause, int? partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pause);
        string ids = IdsOf(partition);
        string sql = $"""
            SELECT id, sum(value) AS total FROM
            (
                SELECT id, value FROM sketch.total_rows WHERE {ids}
                UNION ALL
                SELECT id, -delta FROM sketch.deltas WHERE {pause.Unfinished} AND {ids}
            )
            GROUP BY id FORMAT RowBinary
            """;
        using ClickHouseRawResult result = await GuardAsync(() => _client.ExecuteRawResultAsync(sql, null, cancellationToken), cancellationToken);
        await using Stream stream = await GuardAsync(result.ReadAsStreamAsync, cancellationToken);
        byte[] buffer = new byte[MembersBatch * TotalBytes];
        List<(ulong, long)> batch = new(MembersBatch);
        for (int read = buffer.Length; read == buffer.Length;)
        {
            read = await GuardAsync(() => stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).AsTask(), cancellationToken);
            if (read % TotalBytes != 0)
            {
                throw new CheckpointStoreException($"ClickHouse's answer breaks off within a total; {read % TotalBytes} bytes are left");
            }

            batch.Clear();
            for (int at = 0; at < read; at += TotalBytes)
            {
                batch.Add((BitConverter.ToUInt64(buffer, at), BitConverter.ToInt64(buffer, at + 8)));
            }

            yield return batch;
        }
    }

    /// <summary>How many members each counter of the kind distinct keeps, and their digest, for which they are rows of their lower and upper halves.</summary>
    /// <param name="partition">Only this partition's counters; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<Dictionary<(ulong Id, long Generation), (long Members, ulong Digest)>> DigestMembersAsync(int? partition, CancellationToken cancellationToken)
    {
        Dictionary<(ulong, long), (long, ulong)> counters = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            $"""
            SELECT id, toInt64(generation), toInt64(count()), sum(intHash64(bitXor(toUInt64(bitAnd(member, toUInt128(18446744073709551615))), intHash64(toUInt64(bitShiftRight(member, 64))))))
            FROM (SELECT DISTINCT id, generation, member FROM sketch.member_rows WHERE {IdsOf(partition)})
            WHERE (id, generation) IN (SELECT id, generation FROM sketch.counter_rows FINAL WHERE {OfKind("distinct", partition)})
            GROUP BY id, generation
            """, null, cancellationToken))
        {
            counters[(row.GetFieldValue<ulong>(0), row.GetInt64(1))] = (row.GetInt64(2), row.GetFieldValue<ulong>(3));
        }

        return counters;
    }

    /// <summary>The digest of members in memory, as <see cref="DigestMembersAsync"/> has it.</summary>
    public static ulong DigestOf(IEnumerable<UInt128> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        ulong digest = 0;
        foreach (UInt128 member in members)
        {
            digest += RowDigest.Hash((ulong)member ^ RowDigest.Hash((ulong)(member >> 64)));
        }

        return digest;
    }

    private static string IdsOf(int? partition) => partition is not { } p
        ? "1"
        : string.Create(CultureInfo.InvariantCulture, $"id BETWEEN {(ulong)p << 58} AND {((ulong)p << 58) + ((1UL << 58) - 1)}");

    private async Task<RowDigest> DigestAsync(string rows, CancellationToken cancellationToken)
    {
        RowDigest digest = new();
        await foreach (ClickHouseDataReader row in RowsAsync(
            $"SELECT toInt32({RowDigest.PartitionSql}) AS partition, toInt64(count()), sum({RowDigest.Sql}) FROM ({rows}) GROUP BY partition", null, cancellationToken))
        {
            digest.Add(row.GetInt32(0), row.GetInt64(1), row.GetFieldValue<ulong>(2));
        }

        return digest;
    }
}
