using System.Globalization;
using System.Runtime.CompilerServices;
using ClickHouse.Driver.ADO.Readers;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Storage.Store;

/// <summary>The elements that a counter of the kind distinct saw in an hour.</summary>
/// <param name="Id">The counter's id.</param>
/// <param name="Generation">The position at which it began or was reset.</param>
/// <param name="Hour">The hour's start, seconds since 1970.</param>
/// <param name="Indexes">Indexes of the registers that are not zero.</param>
/// <param name="Ranks">Their ranks.</param>
public sealed record StoredHour(ulong Id, long Generation, long Hour, IReadOnlyList<uint> Indexes, IReadOnlyList<byte> Ranks);

/// <summary>An item of a counter of the kind top, and the last window that changed it.</summary>
/// <param name="Id">The counter's id.</param>
/// <param name="Generation">The position at which it began or was reset.</param>
/// <param name="Item">The item.</param>
/// <param name="Sum">Its exact total.</param>
/// <param name="Position">Where the window ends.</param>
/// <param name="Delta">The item's sum in it.</param>
public readonly record struct StoredItemSum(ulong Id, long Generation, string Item, long Sum, long Position, long Delta);

/// <content>What verification compares with the log: states of counters that take elements.</content>
public sealed partial class ClickHouseStore
{
    private const int SeenVersion = 3;

    /// <summary>The end of the first window whose hours of distinct elements are kept; earlier ones are of a release that had none.</summary>
    /// <param name="log">Which log.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<long> FirstSeenAsync(LogIdentity log, CancellationToken cancellationToken)
    {
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"""
                SELECT if(count() = 0, {long.MaxValue}, toInt64(min(to_position))) FROM sketch.checkpoints
                WHERE log = {log.Number} AND stored_at >= (SELECT min(applied_at) FROM sketch.migrations WHERE version = {SeenVersion})
                """), null, cancellationToken))
        {
            return row.GetInt64(0);
        }

        return long.MaxValue;
    }

    /// <summary>Hours of distinct elements.</summary>
    /// <param name="hours">Which, in seconds since 1970.</param>
    /// <param name="partition">Only this partition's counters; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<StoredHour> ReadHoursAsync(
        IReadOnlyCollection<long> hours, int? partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(hours);
        if (hours.Count == 0)
        {
            yield break;
        }

        await foreach (ClickHouseDataReader row in RowsAsync(
            $"""
            SELECT id, toInt64(generation), toInt64(toUnixTimestamp(hour)), registers.1, registers.2 FROM
            (
                SELECT id, generation, hour, maxMap(registers) AS registers FROM sketch.seen_rows
                WHERE toUnixTimestamp(hour) IN ({string.Join(", ", hours.Select(h => h.ToString(CultureInfo.InvariantCulture)))}) AND {IdsOf(partition)}
                GROUP BY id, generation, hour
            )
            """, null, cancellationToken))
        {
            yield return new StoredHour(
                row.GetFieldValue<ulong>(0), row.GetInt64(1), row.GetInt64(2), row.GetFieldValue<uint[]>(3), row.GetFieldValue<byte[]>(4));
        }
    }

    /// <summary>Elements that counters keep, each once.</summary>
    /// <param name="partition">Only this partition's counters; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public IAsyncEnumerable<IReadOnlyList<StoredMember>> ReadMembersAsync(int? partition, CancellationToken cancellationToken) =>
        ReadMembersAsync("DISTINCT id, generation, member", partition, cancellationToken);

    /// <summary>Items of counters of the kind top, in no order.</summary>
    /// <param name="partition">Only this partition's counters; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<StoredItemSum> ReadItemSumsAsync(int? partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ClickHouseDataReader row in RowsAsync(
            $"""
            SELECT id, toInt64(generation), item, sum(value), toInt64(max(last).1), max(last).2 FROM sketch.item_rows
            WHERE (id, generation) IN (SELECT id, generation FROM sketch.counter_rows FINAL WHERE {OfKind("top", partition)})
            GROUP BY id, generation, item
            """, null, cancellationToken))
        {
            yield return new StoredItemSum(row.GetFieldValue<ulong>(0), row.GetInt64(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5));
        }
    }
}
