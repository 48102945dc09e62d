using System.Globalization;
using System.Security;

namespace Sketch.Storage.Embedded;

/// <summary>
/// The engine's configuration file. Its user has rights on databases only: none on files, URLs, other servers or processes, whoever asks,
/// and the table engines that the store uses. Readers have the gate and readonly in front of that.
/// </summary>
internal static class EngineConfiguration
{
    private static readonly string[] Grants =
    [
        "GRANT SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE TEMPORARY TABLE, DROP DATABASE, DROP TABLE, DROP VIEW, "
            + "TRUNCATE, OPTIMIZE, SHOW, CREATE FUNCTION ON *.*",
        "GRANT KILL QUERY, SYSTEM FLUSH, SYSTEM MERGES, SYSTEM TTL MERGES, SYSTEM SYNC REPLICA ON *.*",
        "GRANT BACKUP ON *.*",
        "GRANT TABLE ENGINE ON MergeTree",
        "GRANT TABLE ENGINE ON SummingMergeTree",
        "GRANT TABLE ENGINE ON AggregatingMergeTree",
        "GRANT TABLE ENGINE ON ReplacingMergeTree",
        "GRANT TABLE ENGINE ON Memory",
        "GRANT TABLE ENGINE ON Null",
    ];

    // A view joins names with sums: a filter on the name chooses the granules of the sums, where it would read all of their ids otherwise. It does so as long as
    // names are what sums are looked up in. Which side that is must follow from rows alone: statistics of some parts, or of earlier statements, would turn it round.
    private const string Profile =
        "<enable_join_runtime_filters_index_analysis>1</enable_join_runtime_filters_index_analysis>"
        + "<use_hash_table_stats_for_join_reordering>0</use_hash_table_stats_for_join_reordering><use_statistics>0</use_statistics>";

    /// <summary>Writes it into the data folder; returns its path.</summary>
    public static string Write(string folder, string enginePath, EmbeddedClickHouseOptions options)
    {
        string users = Path.Combine(folder, "users.xml");
        string config = Path.Combine(folder, "config.xml");
        string grants = string.Concat(Grants.Select(g => $"<query>{SecurityElement.Escape(g)}</query>"));
        File.WriteAllText(users, string.Create(CultureInfo.InvariantCulture,
            $"""
            <clickhouse>
              <profiles><default>{Profile}</default></profiles>
              <quotas><default/></quotas>
              <users><default>
                <password></password><networks><ip>::1</ip><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
                <grants>{grants}</grants>
              </default></users>
            </clickhouse>

            """));
        long memory = options.MaxMemoryBytes > 0
            ? options.MaxMemoryBytes
            : Math.Min(8L << 30, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);
        File.WriteAllText(config, string.Create(CultureInfo.InvariantCulture,
            $"""
            <clickhouse>
              <path>{SecurityElement.Escape(enginePath)}/</path>
              <tmp_path>{SecurityElement.Escape(enginePath)}/tmp/</tmp_path>
              <users_config>{SecurityElement.Escape(users)}</users_config>
              <default_profile>default</default_profile>
              <backups><allowed_path>{SecurityElement.Escape(Path.Combine(folder, EmbeddedClickHouseOptions.BackupsFolder))}/</allowed_path></backups>
              <max_server_memory_usage>{memory}</max_server_memory_usage>
            </clickhouse>

            """));
        return config;
    }
}
