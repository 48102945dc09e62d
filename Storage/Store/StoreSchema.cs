using Sketch.Sketches;

namespace Sketch.Storage.Store;

/// <summary>
/// The tables of database sketch. Every table that is written has a window of deduplication tokens and fsyncs what it stored. There are no materialized
/// views: the store writes each table itself, in an order it can rely on after a crash.
/// </summary>
internal static class StoreSchema
{
    /// <summary>How many of the last inserts into a table are recognised when they come again.</summary>
    private const string Written = "SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1";

    private const string TenParts = "min_parts_to_merge_at_once = 10";

    /// <summary>Days and months are kept for a year, and the month that it began in is whole.</summary>
    private const int DaysKept = 396;

    /// <summary>What is known of a distinct counter as of a position; of two the one of the later position is the larger.</summary>
    public const string LatestType =
        "Tuple(position UInt64, value UInt64, exact UInt8, exact_count UInt64, added UInt64, changes UInt64, new_elements Float64, variance Float64, sketch String)";

    /// <summary>Counts by minutes of an hour. A count never falls: of two of a minute the larger is the later.</summary>
    public const string CountsType = "Tuple(Array(UInt8), Array(UInt64))";

    /// <summary>The tables of the first release; each statement may be repeated.</summary>
    public static readonly string[] Tables =
    [
        $"""
        CREATE TABLE IF NOT EXISTS sketch.counter_rows
        (
            namespace LowCardinality(String),
            name String CODEC(ZSTD(1)),
            id UInt64,
            kind LowCardinality(String),
            tier LowCardinality(String),
            labels Map(LowCardinality(String), String),
            position UInt64 COMMENT 'the log position that this row came with: the last one counts' CODEC(Delta, ZSTD(1)),
            generation UInt64 COMMENT 'the log position at which the counter began or was reset' CODEC(ZSTD(1)),
            deleted UInt8 CODEC(ZSTD(1))
        )
        ENGINE = ReplacingMergeTree(position) ORDER BY (namespace, name) {Written}
        """,

        "ALTER TABLE sketch.counter_rows ADD COLUMN IF NOT EXISTS generation UInt64 CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS deleted UInt8 CODEC(ZSTD(1))",

        // Names of counters that are out of memory are asked for by id.
        "ALTER TABLE sketch.counter_rows ADD INDEX IF NOT EXISTS by_id id TYPE bloom_filter(0.01) GRANULARITY 1",

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
            value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
            position SimpleAggregateFunction(max, UInt64) COMMENT 'the log position up to which windows are in the value' CODEC(T64, ZSTD(1))
        )
        ENGINE = AggregatingMergeTree ORDER BY (namespace, id) {Written}
        """,

        "ALTER TABLE sketch.total_rows ADD COLUMN IF NOT EXISTS position SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1))",

        $"""
        CREATE TABLE IF NOT EXISTS sketch.hourly_rows
        (
            namespace LowCardinality(String),
            id UInt64 CODEC(Delta(8), ZSTD(1)),
            hour DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
            value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
            days SimpleAggregateFunction(max, UInt16) DEFAULT 30 COMMENT 'for how long it is kept' CODEC(T64, ZSTD(1))
        )
        ENGINE = AggregatingMergeTree PARTITION BY toYYYYMMDD(hour) ORDER BY (namespace, id, hour)
        TTL hour + toIntervalDay(days) {Written}
        """,

        // A day's parts hold namespaces that keep their history for different times: rows go, not whole parts.
        "ALTER TABLE sketch.hourly_rows ADD COLUMN IF NOT EXISTS days SimpleAggregateFunction(max, UInt16) DEFAULT 30 CODEC(T64, ZSTD(1))",
        "ALTER TABLE sketch.hourly_rows MODIFY TTL hour + toIntervalDay(days) SETTINGS materialize_ttl_after_modify = 0",
        "ALTER TABLE sketch.hourly_rows RESET SETTING ttl_only_drop_parts",

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

        $"""
        CREATE TABLE IF NOT EXISTS sketch.distinct_rows
        (
            namespace LowCardinality(String),
            id UInt64,
            generation UInt64 COMMENT 'the log position at which the counter began or was reset' CODEC(ZSTD(1)),
            registers {HyperLogLogSql.ColumnType} COMMENT 'HyperLogLog, 4096 registers: indexes and ranks of those that are not zero' CODEC(ZSTD(1)),
            latest SimpleAggregateFunction(max, {LatestType}) CODEC(ZSTD(1))
        )
        ENGINE = AggregatingMergeTree ORDER BY (namespace, id, generation) {Written}
        """,

        $"""
        CREATE TABLE IF NOT EXISTS sketch.member_rows
        (
            namespace LowCardinality(String),
            id UInt64,
            generation UInt64 CODEC(ZSTD(1)),
            member UInt128 COMMENT 'keyed hash of an element of a strong or eventual counter'
        )
        ENGINE = ReplacingMergeTree ORDER BY (namespace, id, generation, member) {Written}
        """,

        $"""
        CREATE TABLE IF NOT EXISTS sketch.item_rows
        (
            namespace LowCardinality(String),
            id UInt64,
            generation UInt64 CODEC(ZSTD(1)),
            item String CODEC(ZSTD(1)),
            value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
            last SimpleAggregateFunction(max, Tuple(position UInt64, delta Int64)) COMMENT 'the last window that changed it' CODEC(ZSTD(1))
        )
        ENGINE = AggregatingMergeTree ORDER BY (namespace, id, generation, item) {Written}
        """,
    ];

    /// <summary>Hours of distinct elements, from the third version on.</summary>
    public static readonly string[] Seen =
    [
        $"""
        CREATE TABLE IF NOT EXISTS sketch.seen_rows
        (
            namespace LowCardinality(String),
            id UInt64 CODEC(Delta(8), ZSTD(1)),
            generation UInt64 COMMENT 'the log position at which the counter began or was reset' CODEC(ZSTD(1)),
            hour DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
            registers {HyperLogLogSql.ColumnType} COMMENT 'HyperLogLog of the elements that came in this hour, 4096 registers: indexes and ranks of those that are not zero' CODEC(ZSTD(1)),
            counts SimpleAggregateFunction(maxMap, {CountsType}) COMMENT 'by minute: how many different elements there were since the counter began' CODEC(ZSTD(1)),
            days SimpleAggregateFunction(max, UInt16) COMMENT 'for how long it is kept' CODEC(T64, ZSTD(1))
        )
        ENGINE = AggregatingMergeTree PARTITION BY toYYYYMMDD(hour) ORDER BY (namespace, id, generation, hour)
        TTL hour + toIntervalDay(days) {Written}
        """,
    ];

    /// <summary>Days, from the second version on.</summary>
    public static readonly string[] Daily =
    [
        $"""
        CREATE TABLE IF NOT EXISTS sketch.daily_rows
        (
            namespace LowCardinality(String),
            id UInt64 CODEC(Delta(8), ZSTD(1)),
            day Date CODEC(DoubleDelta, ZSTD(1)),
            value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1))
        )
        ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (namespace, id, day)
        TTL day + toIntervalDay({DaysKept}) SETTINGS ttl_only_drop_parts = 1, {Written["SETTINGS ".Length..]}
        """,
    ];

    /// <summary>
    /// Parts of the tables that have a row for each counter of a window are merged when there are ten of about a size, from the fourth version on: a row is written again less often, and
    /// a read looks into some parts more. What is kept for long becomes one part a day or month once nothing was added to it for more than a day.
    /// </summary>
    public static readonly string[] Merges =
    [
        .. new[] { "deltas", "total_rows" }.Select(t => $"ALTER TABLE sketch.{t} MODIFY SETTING {TenParts}"),
        .. new[] { "hourly_rows", "daily_rows" }.Select(t =>
            $"ALTER TABLE sketch.{t} MODIFY SETTING {TenParts}, min_age_to_force_merge_seconds = 93600, min_age_to_force_merge_on_partition_only = 1"),
    ];
}
