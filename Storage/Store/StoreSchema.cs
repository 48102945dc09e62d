namespace Sketch.Storage.Store;

/// <summary>
/// The tables of database sketch. Every table that is written has a window of deduplication tokens and fsyncs what it stored. There are no materialized
/// views: the store writes each table itself, in an order it can rely on after a crash.
/// </summary>
internal static class StoreSchema
{
    /// <summary>How many of the last inserts into a table are recognised when they come again.</summary>
    private const string Written = "SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1";

    /// <summary>Statements that make everything, in order; each may be repeated.</summary>
    public static readonly string[] Statements =
    [
        "CREATE DATABASE IF NOT EXISTS sketch",

        $"""
        CREATE TABLE IF NOT EXISTS sketch.counter_rows
        (
            namespace LowCardinality(String),
            name String CODEC(ZSTD(1)),
            id UInt64,
            kind LowCardinality(String),
            tier LowCardinality(String),
            labels Map(LowCardinality(String), String),
            position UInt64 COMMENT 'the log position that this row came with: the last one counts' CODEC(Delta, ZSTD(1))
        )
        ENGINE = ReplacingMergeTree(position) ORDER BY (namespace, name) {Written}
        """,

        $"""
        CREATE TABLE IF NOT EXISTS sketch.deltas
        (
            log UInt16,
            incarnation UInt64 CODEC(Delta, ZSTD(1)),
            from_position UInt64 CODEC(Delta, ZSTD(1)),
            to_position UInt64 CODEC(Delta, ZSTD(1)),
            chunk UInt16 COMMENT 'a window has more than one chunk when it has more than a million counters',
            time DateTime64(3, 'UTC') COMMENT 'log time of the first record of the window' CODEC(Delta, ZSTD(1)),
            namespace LowCardinality(String),
            id UInt64 CODEC(Delta(8), ZSTD(1)),
            delta Int64 CODEC(T64, ZSTD(1))
        )
        ENGINE = MergeTree PARTITION BY toYYYYMMDD(time) ORDER BY (log, to_position, namespace, id) {Written}
        """,

        $"""
        CREATE TABLE IF NOT EXISTS sketch.total_rows
        (
            namespace LowCardinality(String),
            id UInt64 CODEC(Delta(8), ZSTD(1)),
            value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1))
        )
        ENGINE = AggregatingMergeTree ORDER BY (namespace, id) {Written}
        """,

        $"""
        CREATE TABLE IF NOT EXISTS sketch.hourly_rows
        (
            namespace LowCardinality(String),
            id UInt64 CODEC(Delta(8), ZSTD(1)),
            hour DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
            value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1))
        )
        ENGINE = AggregatingMergeTree PARTITION BY toYYYYMMDD(hour) ORDER BY (namespace, id, hour)
        TTL hour + INTERVAL 30 DAY {Written}, ttl_only_drop_parts = 1
        """,

        $"""
        CREATE TABLE IF NOT EXISTS sketch.checkpoints
        (
            log UInt16,
            incarnation UInt64,
            from_position UInt64,
            to_position UInt64,
            first_time DateTime64(3, 'UTC'),
            last_time DateTime64(3, 'UTC'),
            increments UInt64,
            counters UInt64 COMMENT 'how many counters the window changed',
            stored_at DateTime64(3, 'UTC') DEFAULT now64(3)
        )
        ENGINE = MergeTree ORDER BY (log, to_position) {Written}
        """,

        """
        CREATE OR REPLACE VIEW sketch.counters AS
        SELECT namespace, name, id, kind, tier, labels FROM sketch.counter_rows FINAL
        """,

        // Names on the left: a filter on the name is then handed to the sums as a filter on the id. Sums and join by the id alone, which no two counters
        // share: several times faster than by namespace and id. A counter that was defined twice has two rows until a merge, hence ANY.
        """
        CREATE OR REPLACE VIEW sketch.totals AS
        SELECT c.namespace AS namespace, c.name AS name, t.id AS id, t.value AS value
        FROM sketch.counter_rows AS c
        ANY INNER JOIN (SELECT id, sum(value) AS value FROM sketch.total_rows GROUP BY id) AS t ON c.id = t.id
        """,

        """
        CREATE OR REPLACE VIEW sketch.history_hourly AS
        SELECT c.namespace AS namespace, c.name AS name, h.id AS id, h.hour AS hour, h.value AS value
        FROM sketch.counter_rows AS c FINAL
        INNER JOIN (SELECT id, hour, sum(value) AS value FROM sketch.hourly_rows GROUP BY id, hour) AS h ON c.id = h.id
        """,
    ];
}
