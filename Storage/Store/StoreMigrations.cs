using System.Globalization;
using ClickHouse.Driver.ADO.Readers;
using Sketch.Engine.Checkpoints;

namespace Sketch.Storage.Store;

/// <summary>A step from one version of the tables to the next.</summary>
/// <param name="Version">The version that it makes.</param>
/// <param name="Name">What it brings.</param>
/// <param name="Statements">Each may be repeated, since the process may die between any two.</param>
internal sealed record StoreMigration(int Version, string Name, IReadOnlyList<string> Statements)
{
    /// <summary>All of them, in order. What was released is never changed: the next step is added.</summary>
    public static readonly StoreMigration[] All =
    [
        new(1, "tables", StoreSchema.Tables),
        new(2, "days", StoreSchema.Daily),
        new(3, "hours of distinct elements", StoreSchema.Seen),
        new(4, "merges of ten parts", StoreSchema.Merges),
    ];
}

/// <content>Bringing a database to this release's tables.</content>
public sealed partial class ClickHouseStore
{
    private async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await RequireLayoutAsync(cancellationToken);
        await ExecuteAllAsync(StoreStatements.Foundation, cancellationToken);
        (int version, string madeViews) = await VersionAsync(cancellationToken);
        int known = StoreMigration.All[^1].Version;
        if (version > known)
        {
            throw new CheckpointStoreException(
                $"ClickHouse holds tables of version {version}; this release knows versions up to {known}. Use the release that made them, or a newer one.");
        }

        foreach (StoreMigration migration in StoreMigration.All.Where(m => m.Version > version))
        {
            await ExecuteAllAsync(migration.Statements, cancellationToken);
            if (migration.Version == 2)
            {
                await FillDaysAsync(cancellationToken);
            }

            await RecordAsync(migration.Version, migration.Name, cancellationToken);
            LogMigrated(migration.Version, migration.Name);
        }

        if (version < known || madeViews != StoreViews.Digest)
        {
            await ExecuteAllAsync(StoreViews.Statements, cancellationToken);
            await RecordAsync(0, StoreViews.Digest, cancellationToken);
        }
    }

    /// <summary>Tables of one server are never taken for those of a cluster, nor the other way round: names would be the same, and rows elsewhere.</summary>
    private async Task RequireLayoutAsync(CancellationToken cancellationToken)
    {
        await foreach (ClickHouseDataReader row in RowsAsync(
            "SELECT engine FROM system.tables WHERE database = 'sketch' AND name = 'migrations'", null, cancellationToken))
        {
            bool isCluster = row.GetString(0) == "Distributed";
            if (isCluster != _layout.IsCluster)
            {
                throw new CheckpointStoreException(isCluster
                    ? "clickhouse-cluster is missing, and ClickHouse holds tables of a cluster; allowed: the cluster that they were made on"
                    : "clickhouse-cluster is given, and ClickHouse holds tables of a single server; allowed: none, or a cluster without database sketch");
            }
        }
    }

    private async Task ExecuteAllAsync(IReadOnlyList<string> statements, CancellationToken cancellationToken)
    {
        foreach (string statement in statements.SelectMany(_layout.StatementsFor))
        {
            await ExecuteAsync(statement, cancellationToken);
        }
    }

    private async Task<(int Version, string Views)> VersionAsync(CancellationToken cancellationToken)
    {
        (int Version, string Views) found = (0, "");
        await foreach (ClickHouseDataReader row in RowsAsync(
            "SELECT toInt32(max(version)), argMaxIf(name, applied_at, version = 0) FROM sketch.migrations", null, cancellationToken))
        {
            found = (row.GetInt32(0), row.GetString(1));
        }

        return found;
    }

    private Task RecordAsync(int version, string name, CancellationToken cancellationToken) => ExecuteAsync(
        string.Create(CultureInfo.InvariantCulture, $"INSERT INTO sketch.migrations (version, name) SETTINGS async_insert = 0 VALUES ({version}, '{name}')"),
        cancellationToken);

    /// <summary>
    /// Days of what was stored before there were days: the hours, without windows that are not stored whole, since those come again. Hours first get what such a
    /// window still owes them, so that taking it off is right. Begins anew after a crash.
    /// </summary>
    private async Task FillDaysAsync(CancellationToken cancellationToken)
    {
        string unfinished = await UnfinishedAsync(cancellationToken);
        await ExecuteAsync($"TRUNCATE TABLE {_layout.TargetOf("daily_rows")}", cancellationToken);
        _repaired.Clear(); // days owe what such windows had given them
        await ExecuteAsync(
            $"""
            INSERT INTO sketch.daily_rows SELECT namespace, id, day, sum(value) FROM
            (
                SELECT namespace, id, toDate(hour) AS day, value FROM sketch.hourly_rows
                UNION ALL
                SELECT namespace, id, toDate(time) AS day, -delta AS value FROM sketch.deltas WHERE {unfinished}
            )
            GROUP BY namespace, id, day
            """, cancellationToken);
    }

    [Microsoft.Extensions.Logging.LoggerMessage(Microsoft.Extensions.Logging.LogLevel.Information, "Tables in ClickHouse are of version {Version} now: {Name}")]
    private partial void LogMigrated(int version, string name);
}
