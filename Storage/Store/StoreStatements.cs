using Sketch.Sketches;

namespace Sketch.Storage.Store;

/// <summary>The statements that make the database of a release: the same that a node runs when it finds none.</summary>
public static class StoreStatements
{
    internal const string Database = "CREATE DATABASE IF NOT EXISTS sketch";

    internal const string Migrations =
        "CREATE TABLE IF NOT EXISTS sketch.migrations (version UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) "
        + "ENGINE = MergeTree ORDER BY version SETTINGS fsync_after_insert = 1, fsync_part_directory = 1";

    /// <summary>What is made before it is known which version is there.</summary>
    internal static readonly string[] Foundation = [Database, HyperLogLogSql.CreateFunction, Migrations];

    /// <summary>All of them, in order; each may be repeated.</summary>
    /// <param name="cluster">The cluster, as ClickHouse's system.clusters has it; null for one server.</param>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    public static IReadOnlyList<string> All(string? cluster)
    {
        StoreLayout layout = StoreLayout.Of(cluster);
        return [.. Foundation.Concat(StoreMigration.All.SelectMany(m => m.Statements)).Concat(StoreViews.Statements).SelectMany(layout.StatementsFor)];
    }
}
