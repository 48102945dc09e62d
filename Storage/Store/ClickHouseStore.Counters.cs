using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.ADO.Readers;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Storage.Store;

/// <content>
/// What a node that starts reads: all names, then all totals. Each lies sorted on disk and comes in one pass; joined, one of them would have to be gathered in ClickHouse's memory first,
/// which takes three times its processor time.
/// </content>
public sealed partial class ClickHouseStore
{
    /// <inheritdoc/>
    public async ValueTask<long> CountCountersAsync(CancellationToken cancellationToken)
    {
        long count = 0;
        await foreach (ClickHouseDataReader row in RowsAsync("SELECT toInt64(count()) FROM sketch.counter_rows", null, cancellationToken))
        {
            count = row.GetInt64(0);
        }

        return count;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredNames> ReadAllNamesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RunColumn spaces = new();
        TextColumn names = new();
        await foreach (NativeReader block in BlocksAsync(
            "SELECT namespace, name FROM sketch.counter_rows FINAL WHERE NOT deleted", [spaces, names], cancellationToken))
        {
            foreach ((string space, int from, int count) in spaces.Runs)
            {
                yield return new StoredNames(space, block.Text, names.Places.Slice(from, count));
            }
        }

        if (!await IsAnyAsync("deleted", cancellationToken))
        {
            yield break;
        }

        string joined = CountersSql(await UnfinishedAsync(cancellationToken), "deleted", "id IN (SELECT id FROM sketch.counter_rows WHERE deleted)");
        await foreach (NativeReader block in BlocksAsync(
            joined, [spaces, names, new NumberColumn<ulong>("UInt64"), new NumberColumn<long>("Int64")], cancellationToken))
        {
            foreach ((string space, int from, int count) in spaces.Runs)
            {
                yield return new StoredNames(space, block.Text, names.Places.Slice(from, count), AreDeleted: true);
            }
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredSums> ReadAllTotalsAsync(bool whole, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string unfinished = await UnfinishedAsync(cancellationToken);
        string sql = whole
            ? $"""
                SELECT t.namespace, t.id, t.value - d.delta FROM (SELECT namespace, id, value FROM sketch.total_rows FINAL) AS t
                LEFT JOIN (SELECT id, sum(delta) AS delta FROM sketch.deltas WHERE {unfinished} GROUP BY id) AS d ON t.id = d.id
                """
            : $"""
                SELECT namespace, id, CAST(value AS Int64) FROM sketch.total_rows
                UNION ALL
                SELECT namespace, id, -delta FROM sketch.deltas WHERE {unfinished}
                """;
        await foreach (StoredSums some in SumsAsync(sql, cancellationToken))
        {
            yield return some;
        }
    }

    /// <summary>Counters with their totals, but for deleted ones of whom nothing is left.</summary>
    /// <param name="unfinished">The condition on deltas that don't count.</param>
    /// <param name="names">The condition on their names.</param>
    /// <param name="ids">The condition on their ids, in totals and deltas.</param>
    private static string CountersSql(string unfinished, string names, string ids) =>
        $"""
        SELECT c.namespace, c.name, c.id, t.value FROM (SELECT * FROM sketch.counter_rows FINAL WHERE {names}) AS c
        LEFT JOIN
        (
            SELECT id, sum(value) AS value
            FROM
            (
                SELECT id, value FROM sketch.total_rows WHERE {ids}
                UNION ALL
                SELECT id, -delta FROM sketch.deltas WHERE ({unfinished}) AND {ids}
            )
            GROUP BY id
        ) AS t ON c.id = t.id
        WHERE NOT c.deleted OR t.value != 0
        """;

    /// <summary>Sums by namespace and id.</summary>
    /// <param name="sql">A statement with three columns: namespace, id and Int64.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async IAsyncEnumerable<StoredSums> SumsAsync(string sql, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RunColumn spaces = new();
        NumberColumn<ulong> ids = new("UInt64");
        NumberColumn<long> values = new("Int64");
        await foreach (NativeReader _ in BlocksAsync(sql, [spaces, ids, values], cancellationToken))
        {
            foreach ((string space, int from, int count) in spaces.Runs)
            {
                yield return new StoredSums(space, ids.Values.Slice(from, count), values.Values.Slice(from, count));
            }
        }
    }

    /// <summary>Counters with their totals.</summary>
    /// <param name="sql">A statement with four columns: namespace, name, id and Int64.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async Task<List<StoredCounter>> CountersAsync(string sql, CancellationToken cancellationToken)
    {
        RunColumn spaces = new();
        TextColumn names = new();
        NumberColumn<ulong> ids = new("UInt64");
        NumberColumn<long> totals = new("Int64");
        List<StoredCounter> counters = [];
        await foreach (NativeReader block in BlocksAsync(sql, [spaces, names, ids, totals], cancellationToken))
        {
            foreach ((string space, int from, int count) in spaces.Runs)
            {
                for (int i = from; i < from + count; i++)
                {
                    TextPlace name = names.Places.Span[i];
                    counters.Add(new StoredCounter(space, block.Text.Slice(name.Start, name.Length).ToArray(), ids.Values.Span[i], totals.Values.Span[i]));
                }
            }
        }

        return counters;
    }

    // That there is none shows at a look at one column: no need to merge all rows to find nothing.
    private async Task<bool> IsAnyAsync(string condition, CancellationToken cancellationToken)
    {
        bool isAny = false;
        await foreach (ClickHouseDataReader _ in RowsAsync($"SELECT 1 FROM sketch.counter_rows WHERE {condition} LIMIT 1", null, cancellationToken))
        {
            isAny = true;
        }

        return isAny;
    }

    /// <summary>The blocks of an answer, in columns that are filled anew for each.</summary>
    private async IAsyncEnumerable<NativeReader> BlocksAsync(
        string sql, NativeColumn[] columns, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A server's profile may say otherwise.
        QueryOptions options = new() { CustomSettings = new Dictionary<string, object> { ["low_cardinality_allow_in_native_format"] = 1 } };
        using ClickHouseRawResult result = await GuardAsync(
            () => _client.ExecuteRawResultAsync(sql + "\nFORMAT Native", options, cancellationToken), cancellationToken);
        await using Stream stream = await GuardAsync(result.ReadAsStreamAsync, cancellationToken);
        NativeReader reader = new(stream, columns);
        while (await GuardAsync(() => reader.NextAsync(cancellationToken), cancellationToken))
        {
            yield return reader;
        }
    }

    /// <summary>The condition on deltas that are in the totals already, but beyond the last checkpoint of their log.</summary>
    private async Task<string> UnfinishedAsync(CancellationToken cancellationToken)
    {
        List<(LogIdentity Log, long Position, bool IsUnfinished)> logs = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            """
            SELECT incarnation, toInt32(log), toInt64(max(stored)), toUInt8(max(counted) > max(stored))
            FROM
            (
                SELECT incarnation, log, max(to_position) AS counted, 0 AS stored FROM sketch.deltas GROUP BY incarnation, log
                UNION ALL
                SELECT incarnation, log, 0 AS counted, max(to_position) AS stored FROM sketch.checkpoints GROUP BY incarnation, log
            )
            GROUP BY incarnation, log
            """, null, cancellationToken))
        {
            logs.Add((new LogIdentity(row.GetFieldValue<ulong>(0), row.GetInt32(1)), row.GetInt64(2), row.GetFieldValue<byte>(3) != 0));
        }

        StringBuilder condition = new("0");
        foreach ((LogIdentity log, long stored, bool isUnfinished) in logs)
        {
            (LogIdentity first, long firstStored, _) = logs.First(l => l.Log.Number == log.Number);
            RefuseOther(log, first.Incarnation, $"up to position {firstStored}");

            // What is not whole is completed first, so that all of its deltas are in the totals.
            long position = isUnfinished ? (await LastAsync(log, cancellationToken)).Position : stored;
            condition.Append(CultureInfo.InvariantCulture, $" OR (log = {log.Number} AND to_position > {position})");
        }

        return condition.ToString();
    }
}
