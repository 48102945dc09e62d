using System.Globalization;
using ClickHouse.Driver.ADO.Parameters;
using ClickHouse.Driver.ADO.Readers;
using ClickHouse.Driver.Utility;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Storage.Store;

/// <content>Totals and names of counters that the engine does not hold in memory.</content>
public sealed partial class ClickHouseStore
{
    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<ulong, long>> ReadTotalsAsync(
        LogIdentity log, long position, string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        Dictionary<ulong, long> totals = [];
        Dictionary<ulong, long> later = [];
        if (ids.Count == 0)
        {
            return totals;
        }

        string wanted = string.Join(',', ids);
        // Value and position come from the same parts: whatever is being inserted, the one says what is in the other.
        await foreach (ClickHouseDataReader row in RowsAsync(
            $$"""
            SELECT id, sum(value), toInt64(max(position)) FROM sketch.total_rows
            WHERE namespace = {namespace:String} AND id IN ({{wanted}}) GROUP BY id
            """, Of(@namespace), cancellationToken))
        {
            ulong id = row.GetFieldValue<ulong>(0);
            totals.Add(id, row.GetInt64(1));
            if (row.GetInt64(2) > position)
            {
                later.Add(id, row.GetInt64(2));
            }
        }

        if (later.Count == 0)
        {
            return totals;
        }

        // Deltas are stored before totals: those of a window that is in a total can be read by now.
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $$"""
                SELECT id, toInt64(to_position), sum(delta) FROM sketch.deltas
                WHERE log = {{log.Number}} AND to_position > {{position}} AND namespace = {namespace:String} AND id IN ({{string.Join(',', later.Keys)}})
                GROUP BY id, to_position
                """), Of(@namespace), cancellationToken))
        {
            ulong id = row.GetFieldValue<ulong>(0);
            if (row.GetInt64(1) <= later[id])
            {
                totals[id] -= row.GetInt64(2);
            }
        }

        return totals;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<StoredTotal>> ReadHeaviestAsync(string @namespace, int limit, CancellationToken cancellationToken)
    {
        List<StoredTotal> heaviest = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $$"""
                SELECT id, sum(value) AS total FROM sketch.total_rows
                WHERE namespace = {namespace:String} GROUP BY id ORDER BY total DESC, id LIMIT {{limit}}
                """), Of(@namespace), cancellationToken))
        {
            heaviest.Add(new StoredTotal(row.GetFieldValue<ulong>(0), row.GetInt64(1)));
        }

        return heaviest;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyDictionary<ulong, string>> ReadNamesAsync(
        string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        Dictionary<ulong, string> names = [];
        if (ids.Count == 0)
        {
            return names;
        }

        await foreach (ClickHouseDataReader row in RowsAsync(
            $$"""
            SELECT id, argMax(name, position), argMax(deleted, position) AS is_deleted FROM sketch.counter_rows
            WHERE namespace = {namespace:String} AND id IN ({{string.Join(',', ids)}}) GROUP BY id HAVING NOT is_deleted
            """, Of(@namespace), cancellationToken))
        {
            names.Add(row.GetFieldValue<ulong>(0), row.GetString(1));
        }

        return names;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ulong>> ReadIdleAsync(IdleQuestion idle, CancellationToken cancellationToken)
    {
        string within = string.Create(CultureInfo.InvariantCulture, $"id BETWEEN {idle.First} AND {idle.Last}");
        string last = string.Create(CultureInfo.InvariantCulture,
            $"(SELECT max(to_position) FROM sketch.checkpoints WHERE log = {idle.Log.Number} AND last_time < fromUnixTimestamp64Milli(toInt64({idle.BeforeMs}), 'UTC'))");
        List<ulong> ids = [];

        // No names here: they would be most of what is read. A row of a later window is enough to be busy, whatever rows are merged.
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $$"""
                WITH {{last}} AS last_position
                SELECT id FROM sketch.counter_rows
                WHERE namespace = {namespace:String} AND {{within}}
                    AND id GLOBAL NOT IN (SELECT id FROM sketch.total_rows WHERE namespace = {namespace:String} AND {{within}} AND position > last_position)
                    AND id GLOBAL NOT IN (SELECT id FROM sketch.distinct_rows WHERE namespace = {namespace:String} AND {{within}} AND latest.position > last_position)
                GROUP BY id HAVING max(position) <= last_position AND NOT argMax(deleted, position)
                ORDER BY id LIMIT {{idle.Limit}}
                """), Of(idle.Namespace), cancellationToken))
        {
            ids.Add(row.GetFieldValue<ulong>(0));
        }

        return ids;
    }

    private static ClickHouseParameterCollection Of(string @namespace)
    {
        ClickHouseParameterCollection parameters = [];
        parameters.AddParameter("namespace", @namespace);
        return parameters;
    }
}
