CREATE DATABASE IF NOT EXISTS sketch ON CLUSTER 'golden';

CREATE FUNCTION IF NOT EXISTS sketchDistinct ON CLUSTER 'golden' AS (registers, precision) -> if(empty(registers.1), 0., exp2(2 * precision) / (2 * ln(2)) / (exp2(precision) * (1 - length(registers.1) / exp2(precision) + arraySum(k -> pow(1 - length(registers.1) / exp2(precision), exp2(k)) * exp2(k - 1), range(1, 25))) + arraySum(rank -> exp2(-rank), registers.2)));

CREATE TABLE IF NOT EXISTS sketch.migrations_local ON CLUSTER 'golden' (version UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/sketch/migrations', '{replica}') ORDER BY version SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.migrations ON CLUSTER 'golden' AS sketch.migrations_local ENGINE = Distributed('golden', sketch, migrations_local, version);

CREATE TABLE IF NOT EXISTS sketch.counter_rows_local ON CLUSTER 'golden'
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
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/sketch/counter_rows', '{replica}', position) ORDER BY (namespace, name) SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.counter_rows ON CLUSTER 'golden' AS sketch.counter_rows_local ENGINE = Distributed('golden', sketch, counter_rows_local, id);

ALTER TABLE sketch.counter_rows_local ON CLUSTER 'golden' ADD COLUMN IF NOT EXISTS generation UInt64 CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS deleted UInt8 CODEC(ZSTD(1));

ALTER TABLE sketch.counter_rows ON CLUSTER 'golden' ADD COLUMN IF NOT EXISTS generation UInt64, ADD COLUMN IF NOT EXISTS deleted UInt8;

ALTER TABLE sketch.counter_rows_local ON CLUSTER 'golden' ADD INDEX IF NOT EXISTS by_id id TYPE bloom_filter(0.01) GRANULARITY 1;

CREATE TABLE IF NOT EXISTS sketch.deltas_local ON CLUSTER 'golden'
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/sketch/deltas', '{replica}') PARTITION BY toYYYYMMDD(time) ORDER BY (log, to_position, namespace, id) SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.deltas ON CLUSTER 'golden' AS sketch.deltas_local ENGINE = Distributed('golden', sketch, deltas_local, id);

CREATE TABLE IF NOT EXISTS sketch.total_rows_local ON CLUSTER 'golden'
(
    namespace LowCardinality(String),
    id UInt64 CODEC(Delta(8), ZSTD(1)),
    value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
    position SimpleAggregateFunction(max, UInt64) COMMENT 'the log position up to which windows are in the value' CODEC(T64, ZSTD(1))
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/sketch/total_rows', '{replica}') ORDER BY (namespace, id) SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.total_rows ON CLUSTER 'golden' AS sketch.total_rows_local ENGINE = Distributed('golden', sketch, total_rows_local, id);

ALTER TABLE sketch.total_rows_local ON CLUSTER 'golden' ADD COLUMN IF NOT EXISTS position SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1));

ALTER TABLE sketch.total_rows ON CLUSTER 'golden' ADD COLUMN IF NOT EXISTS position SimpleAggregateFunction(max, UInt64);

CREATE TABLE IF NOT EXISTS sketch.hourly_rows_local ON CLUSTER 'golden'
(
    namespace LowCardinality(String),
    id UInt64 CODEC(Delta(8), ZSTD(1)),
    hour DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
    days SimpleAggregateFunction(max, UInt16) DEFAULT 30 COMMENT 'for how long it is kept' CODEC(T64, ZSTD(1))
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/sketch/hourly_rows', '{replica}') PARTITION BY toYYYYMMDD(hour) ORDER BY (namespace, id, hour)
TTL hour + toIntervalDay(days) SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.hourly_rows ON CLUSTER 'golden' AS sketch.hourly_rows_local ENGINE = Distributed('golden', sketch, hourly_rows_local, id);

ALTER TABLE sketch.hourly_rows_local ON CLUSTER 'golden' ADD COLUMN IF NOT EXISTS days SimpleAggregateFunction(max, UInt16) DEFAULT 30 CODEC(T64, ZSTD(1));

ALTER TABLE sketch.hourly_rows ON CLUSTER 'golden' ADD COLUMN IF NOT EXISTS days SimpleAggregateFunction(max, UInt16) DEFAULT 30;

ALTER TABLE sketch.hourly_rows_local ON CLUSTER 'golden' MODIFY TTL hour + toIntervalDay(days) SETTINGS materialize_ttl_after_modify = 0;

ALTER TABLE sketch.hourly_rows_local ON CLUSTER 'golden' RESET SETTING ttl_only_drop_parts;

CREATE TABLE IF NOT EXISTS sketch.checkpoints_local ON CLUSTER 'golden'
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
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/sketch/checkpoints', '{replica}') ORDER BY (log, to_position) SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.checkpoints ON CLUSTER 'golden' AS sketch.checkpoints_local ENGINE = Distributed('golden', sketch, checkpoints_local, log);

CREATE TABLE IF NOT EXISTS sketch.distinct_rows_local ON CLUSTER 'golden'
(
    namespace LowCardinality(String),
    id UInt64,
    generation UInt64 COMMENT 'the log position at which the counter began or was reset' CODEC(ZSTD(1)),
    registers SimpleAggregateFunction(maxMap, Tuple(Array(UInt32), Array(UInt8))) COMMENT 'HyperLogLog, 4096 registers: indexes and ranks of those that are not zero' CODEC(ZSTD(1)),
    latest SimpleAggregateFunction(max, Tuple(position UInt64, value UInt64, exact UInt8, exact_count UInt64, added UInt64, changes UInt64, new_elements Float64, variance Float64, sketch String)) CODEC(ZSTD(1))
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/sketch/distinct_rows', '{replica}') ORDER BY (namespace, id, generation) SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.distinct_rows ON CLUSTER 'golden' AS sketch.distinct_rows_local ENGINE = Distributed('golden', sketch, distinct_rows_local, id);

CREATE TABLE IF NOT EXISTS sketch.member_rows_local ON CLUSTER 'golden'
(
    namespace LowCardinality(String),
    id UInt64,
    generation UInt64 CODEC(ZSTD(1)),
    member UInt128 COMMENT 'keyed hash of an element of a strong or eventual counter'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/sketch/member_rows', '{replica}') ORDER BY (namespace, id, generation, member) SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.member_rows ON CLUSTER 'golden' AS sketch.member_rows_local ENGINE = Distributed('golden', sketch, member_rows_local, id);

CREATE TABLE IF NOT EXISTS sketch.item_rows_local ON CLUSTER 'golden'
(
    namespace LowCardinality(String),
    id UInt64,
    generation UInt64 CODEC(ZSTD(1)),
    item String CODEC(ZSTD(1)),
    value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
    last SimpleAggregateFunction(max, Tuple(position UInt64, delta Int64)) COMMENT 'the last window that changed it' CODEC(ZSTD(1))
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/sketch/item_rows', '{replica}') ORDER BY (namespace, id, generation, item) SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.item_rows ON CLUSTER 'golden' AS sketch.item_rows_local ENGINE = Distributed('golden', sketch, item_rows_local, id);

CREATE TABLE IF NOT EXISTS sketch.daily_rows_local ON CLUSTER 'golden'
(
    namespace LowCardinality(String),
    id UInt64 CODEC(Delta(8), ZSTD(1)),
    day Date CODEC(DoubleDelta, ZSTD(1)),
    value SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1))
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/sketch/daily_rows', '{replica}') PARTITION BY toYYYYMM(day) ORDER BY (namespace, id, day)
TTL day + toIntervalDay(396) SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.daily_rows ON CLUSTER 'golden' AS sketch.daily_rows_local ENGINE = Distributed('golden', sketch, daily_rows_local, id);

CREATE TABLE IF NOT EXISTS sketch.seen_rows_local ON CLUSTER 'golden'
(
    namespace LowCardinality(String),
    id UInt64 CODEC(Delta(8), ZSTD(1)),
    generation UInt64 COMMENT 'the log position at which the counter began or was reset' CODEC(ZSTD(1)),
    hour DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    registers SimpleAggregateFunction(maxMap, Tuple(Array(UInt32), Array(UInt8))) COMMENT 'HyperLogLog of the elements that came in this hour, 4096 registers: indexes and ranks of those that are not zero' CODEC(ZSTD(1)),
    counts SimpleAggregateFunction(maxMap, Tuple(Array(UInt8), Array(UInt64))) COMMENT 'by minute: how many different elements there were since the counter began' CODEC(ZSTD(1)),
    days SimpleAggregateFunction(max, UInt16) COMMENT 'for how long it is kept' CODEC(T64, ZSTD(1))
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/sketch/seen_rows', '{replica}') PARTITION BY toYYYYMMDD(hour) ORDER BY (namespace, id, generation, hour)
TTL hour + toIntervalDay(days) SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch.seen_rows ON CLUSTER 'golden' AS sketch.seen_rows_local ENGINE = Distributed('golden', sketch, seen_rows_local, id);

ALTER TABLE sketch.deltas_local ON CLUSTER 'golden' MODIFY SETTING min_parts_to_merge_at_once = 10;

ALTER TABLE sketch.total_rows_local ON CLUSTER 'golden' MODIFY SETTING min_parts_to_merge_at_once = 10;

ALTER TABLE sketch.hourly_rows_local ON CLUSTER 'golden' MODIFY SETTING min_parts_to_merge_at_once = 10, min_age_to_force_merge_seconds = 93600, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE sketch.daily_rows_local ON CLUSTER 'golden' MODIFY SETTING min_parts_to_merge_at_once = 10, min_age_to_force_merge_seconds = 93600, min_age_to_force_merge_on_partition_only = 1;

CREATE OR REPLACE VIEW sketch.live_values ON CLUSTER 'golden' AS SELECT namespace, name, id, kind, tier, toInt64(throwIf(name != '', 'live_values is answered by a Sketch node: ask through its SQL port')) AS value, toInt64(throwIf(name != '', 'live_values is answered by a Sketch node: ask through its SQL port')) AS lower, toInt64(throwIf(name != '', 'live_values is answered by a Sketch node: ask through its SQL port')) AS upper,
    toFloat64(throwIf(name != '', 'live_values is answered by a Sketch node: ask through its SQL port')) AS confidence, toDateTime64(throwIf(name != '', 'live_values is answered by a Sketch node: ask through its SQL port'), 3, 'UTC') AS exact_as_of
FROM sketch.counter_rows FINAL WHERE NOT deleted AND 1;

CREATE OR REPLACE VIEW sketch.items ON CLUSTER 'golden' AS
SELECT c.namespace AS namespace, c.name AS name, i.id AS id, i.item AS item, i.value AS value
FROM sketch.counter_rows AS c FINAL
INNER JOIN (SELECT id, generation, item, sum(value) AS value FROM sketch.item_rows GROUP BY id, generation, item) AS i
    ON c.id = i.id AND c.generation = i.generation
WHERE c.kind = 'top' AND NOT c.deleted;

CREATE OR REPLACE VIEW sketch.counters ON CLUSTER 'golden' AS
SELECT namespace, name, id, kind, tier, labels FROM sketch.counter_rows FINAL WHERE NOT deleted;

CREATE OR REPLACE VIEW sketch.distincts ON CLUSTER 'golden' AS
SELECT c.namespace AS namespace, c.name AS name, d.id AS id, d.latest.value AS value, d.latest.exact AS exact, d.registers AS registers
FROM sketch.counter_rows AS c FINAL
INNER JOIN
(
    SELECT id, generation, maxMap(registers) AS registers, max(latest) AS latest FROM sketch.distinct_rows GROUP BY id, generation
) AS d ON c.id = d.id AND c.generation = d.generation
WHERE c.kind = 'distinct' AND NOT c.deleted;

CREATE OR REPLACE VIEW sketch.distincts_hourly ON CLUSTER 'golden' AS
SELECT c.namespace AS namespace, c.name AS name, s.id AS id, s.hour AS hour, toUInt64(round(sketchDistinct(s.registers, 12))) AS value,
    s.registers AS registers, arrayMap((minute, count) -> (s.hour + toIntervalMinute(minute), count), s.counts.1, s.counts.2) AS counts
FROM sketch.counter_rows AS c FINAL
INNER JOIN
(
    SELECT id, generation, hour, maxMap(registers) AS registers, maxMap(counts) AS counts FROM sketch.seen_rows GROUP BY id, generation, hour
) AS s ON c.id = s.id AND c.generation = s.generation
WHERE c.kind = 'distinct' AND NOT c.deleted;

CREATE OR REPLACE VIEW sketch.distincts_daily ON CLUSTER 'golden' AS
SELECT c.namespace AS namespace, c.name AS name, s.id AS id, s.day AS day, toUInt64(round(sketchDistinct(s.registers, 12))) AS value, s.registers AS registers
FROM sketch.counter_rows AS c FINAL
INNER JOIN
(
    SELECT id, generation, toDate(hour) AS day, maxMap(registers) AS registers FROM sketch.seen_rows GROUP BY id, generation, day
) AS s ON c.id = s.id AND c.generation = s.generation
WHERE c.kind = 'distinct' AND NOT c.deleted;

CREATE OR REPLACE VIEW sketch.totals ON CLUSTER 'golden' AS
SELECT c.namespace AS namespace, c.name AS name, t.id AS id, t.value AS value
FROM sketch.counter_rows AS c FINAL
INNER JOIN (SELECT id, sum(value) AS value FROM sketch.total_rows GROUP BY id) AS t ON c.id = t.id
WHERE NOT c.deleted;

CREATE OR REPLACE VIEW sketch.history_hourly ON CLUSTER 'golden' AS
SELECT c.namespace AS namespace, c.name AS name, h.id AS id, h.hour AS hour, h.value AS value
FROM sketch.counter_rows AS c FINAL
INNER JOIN (SELECT id, hour, sum(value) AS value FROM sketch.hourly_rows GROUP BY id, hour) AS h ON c.id = h.id
WHERE NOT c.deleted;

CREATE OR REPLACE VIEW sketch.history_daily ON CLUSTER 'golden' AS
SELECT c.namespace AS namespace, c.name AS name, d.id AS id, d.day AS day, d.value AS value
FROM sketch.counter_rows AS c FINAL
INNER JOIN (SELECT id, day, sum(value) AS value FROM sketch.daily_rows GROUP BY id, day) AS d ON c.id = d.id
WHERE NOT c.deleted;

CREATE OR REPLACE VIEW sketch.history_monthly ON CLUSTER 'golden' AS
SELECT c.namespace AS namespace, c.name AS name, m.id AS id, m.month AS month, m.value AS value
FROM sketch.counter_rows AS c FINAL
INNER JOIN (SELECT id, toStartOfMonth(day) AS month, sum(value) AS value FROM sketch.daily_rows GROUP BY id, month) AS m ON c.id = m.id
WHERE NOT c.deleted;

CREATE OR REPLACE VIEW sketch.top_items ON CLUSTER 'golden' AS
SELECT namespace, name, id, row_number() OVER (PARTITION BY namespace, name, id ORDER BY value DESC, item) AS rank, item, value FROM sketch.items;

CREATE OR REPLACE VIEW sketch.rates ON CLUSTER 'golden' AS
WITH (SELECT max(last_time) FROM sketch.checkpoints) AS latest, latest - toIntervalMinute(5) AS since
SELECT c.namespace AS namespace, c.name AS name, r.id AS id, r.per_second AS per_second, latest AS as_of
FROM sketch.counter_rows AS c FINAL
INNER JOIN
(
    SELECT d.id AS id, sum(d.value / covered.seconds) AS per_second
    FROM (SELECT id, log, sum(delta) AS value FROM sketch.deltas WHERE time > since AND time <= latest GROUP BY id, log) AS d
    INNER JOIN
    (
        SELECT log, greatest(1, dateDiff('millisecond', greatest(since, maxIf(last_time, first_time <= since)), latest) / 1000) AS seconds
        FROM sketch.checkpoints GROUP BY log
    ) AS covered ON d.log = covered.log
    GROUP BY id
) AS r ON c.id = r.id
WHERE NOT c.deleted;

CREATE OR REPLACE VIEW sketch.hourly_series ON CLUSTER 'golden' AS
SELECT toStartOfHour({since:DateTime('UTC')}) + toIntervalHour(n.number) AS hour, h.value AS value
FROM numbers(toUInt64(greatest(0, least(dateDiff('hour', {since:DateTime('UTC')}, {until:DateTime('UTC')} - toIntervalSecond(1)) + 1, 10000)))) AS n
LEFT JOIN
(
    SELECT dateDiff('hour', {since:DateTime('UTC')}, hour) AS number, sum(value) AS value FROM sketch.hourly_rows
    WHERE namespace = {namespace:String} AND id = xxh3({namespace:String} || ':' || {name:String}) AND hour < {until:DateTime('UTC')}
    GROUP BY number
) AS h ON toInt64(n.number) = h.number
ORDER BY hour;

CREATE OR REPLACE VIEW sketch.daily_series ON CLUSTER 'golden' AS
SELECT {since:Date} + toIntervalDay(n.number) AS day, d.value AS value
FROM numbers(toUInt64(greatest(0, least(dateDiff('day', {since:Date}, {until:Date}), 1000)))) AS n
LEFT JOIN
(
    SELECT dateDiff('day', {since:Date}, day) AS number, sum(value) AS value FROM sketch.daily_rows
    WHERE namespace = {namespace:String} AND id = xxh3({namespace:String} || ':' || {name:String}) AND day < {until:Date}
    GROUP BY number
) AS d ON toInt64(n.number) = d.number
ORDER BY day;

