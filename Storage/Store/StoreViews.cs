using System.Security.Cryptography;
using System.Text;

namespace Sketch.Storage.Store;

/// <summary>What analysts read: views over the tables, made anew when a release has others.</summary>
internal static class StoreViews
{
    /// <summary>The views that take parameters, and are called like functions.</summary>
    public static readonly string[] Parameterized = ["hourly_series", "daily_series"];

    /// <summary>What is recorded of them: they are made again when this is another.</summary>
    public static string Digest => "views " + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(Statements))))[..16];

    /// <summary>Statements that make the views.</summary>
    public static readonly string[] Statements =
    [
        LiveValuesSchema.View,

        """
        CREATE OR REPLACE VIEW sketch.items AS
        SELECT c.namespace AS namespace, c.name AS name, i.id AS id, i.item AS item, i.value AS value
        FROM sketch.counter_rows AS c FINAL
        INNER JOIN (SELECT id, generation, item, sum(value) AS value FROM sketch.item_rows GROUP BY id, generation, item) AS i
            ON c.id = i.id AND c.generation = i.generation
        WHERE c.kind = 'top' AND NOT c.deleted
        """,

        """
        CREATE OR REPLACE VIEW sketch.counters AS
        SELECT namespace, name, id, kind, tier, labels FROM sketch.counter_rows FINAL WHERE NOT deleted
        """,

        """
        CREATE OR REPLACE VIEW sketch.distincts AS
        SELECT c.namespace AS namespace, c.name AS name, d.id AS id, d.latest.value AS value, d.latest.exact AS exact, d.registers AS registers
        FROM sketch.counter_rows AS c FINAL
        INNER JOIN
        (
            SELECT id, generation, maxMap(registers) AS registers, max(latest) AS latest FROM sketch.distinct_rows GROUP BY id, generation
        ) AS d ON c.id = d.id AND c.generation = d.generation
        WHERE c.kind = 'distinct' AND NOT c.deleted
        """,

        // Of a counter that was reset only what came since.
        """
        CREATE OR REPLACE VIEW sketch.distincts_hourly AS
        SELECT c.namespace AS namespace, c.name AS name, s.id AS id, s.hour AS hour, toUInt64(round(sketchDistinct(s.registers, 12))) AS value,
            s.registers AS registers, arrayMap((minute, count) -> (s.hour + toIntervalMinute(minute), count), s.counts.1, s.counts.2) AS counts
        FROM sketch.counter_rows AS c FINAL
        INNER JOIN
        (
            SELECT id, generation, hour, maxMap(registers) AS registers, maxMap(counts) AS counts FROM sketch.seen_rows GROUP BY id, generation, hour
        ) AS s ON c.id = s.id AND c.generation = s.generation
        WHERE c.kind = 'distinct' AND NOT c.deleted
        """,

        """
        CREATE OR REPLACE VIEW sketch.distincts_daily AS
        SELECT c.namespace AS namespace, c.name AS name, s.id AS id, s.day AS day, toUInt64(round(sketchDistinct(s.registers, 12))) AS value, s.registers AS registers
        FROM sketch.counter_rows AS c FINAL
        INNER JOIN
        (
            SELECT id, generation, toDate(hour) AS day, maxMap(registers) AS registers FROM sketch.seen_rows GROUP BY id, generation, day
        ) AS s ON c.id = s.id AND c.generation = s.generation
        WHERE c.kind = 'distinct' AND NOT c.deleted
        """,

        // Names on the left: a filter on the name is then handed to the sums as a filter on the id. Sums and join by the id alone, which no two counters
        // share: several times faster than by namespace and id. A counter that was defined twice has two rows until a merge, hence FINAL.
        """
        CREATE OR REPLACE VIEW sketch.totals AS
        SELECT c.namespace AS namespace, c.name AS name, t.id AS id, t.value AS value
        FROM sketch.counter_rows AS c FINAL
        INNER JOIN (SELECT id, sum(value) AS value FROM sketch.total_rows GROUP BY id) AS t ON c.id = t.id
        WHERE NOT c.deleted
        """,

        """
        CREATE OR REPLACE VIEW sketch.history_hourly AS
        SELECT c.namespace AS namespace, c.name AS name, h.id AS id, h.hour AS hour, h.value AS value
        FROM sketch.counter_rows AS c FINAL
        INNER JOIN (SELECT id, hour, sum(value) AS value FROM sketch.hourly_rows GROUP BY id, hour) AS h ON c.id = h.id
        WHERE NOT c.deleted
        """,

        """
        CREATE OR REPLACE VIEW sketch.history_daily AS
        SELECT c.namespace AS namespace, c.name AS name, d.id AS id, d.day AS day, d.value AS value
        FROM sketch.counter_rows AS c FINAL
        INNER JOIN (SELECT id, day, sum(value) AS value FROM sketch.daily_rows GROUP BY id, day) AS d ON c.id = d.id
        WHERE NOT c.deleted
        """,

        """
        CREATE OR REPLACE VIEW sketch.history_monthly AS
        SELECT c.namespace AS namespace, c.name AS name, m.id AS id, m.month AS month, m.value AS value
        FROM sketch.counter_rows AS c FINAL
        INNER JOIN (SELECT id, toStartOfMonth(day) AS month, sum(value) AS value FROM sketch.daily_rows GROUP BY id, month) AS m ON c.id = m.id
        WHERE NOT c.deleted
        """,

        """
        CREATE OR REPLACE VIEW sketch.top_items AS
        SELECT namespace, name, id, row_number() OVER (PARTITION BY namespace, name, id ORDER BY value DESC, item) AS rank, item, value FROM sketch.items
        """,

        // Whole windows: a log's newest that began in the last five minutes. Where the one before them reaches into these minutes, they cover only what is after it.
        // A counter that nobody incremented in them has no row.
        """
        CREATE OR REPLACE VIEW sketch.rates AS
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
        WHERE NOT c.deleted
        """,

        """
        CREATE OR REPLACE VIEW sketch.hourly_series AS
        SELECT toStartOfHour({since:DateTime('UTC')}) + toIntervalHour(n.number) AS hour, h.value AS value
        FROM numbers(toUInt64(greatest(0, least(dateDiff('hour', {since:DateTime('UTC')}, {until:DateTime('UTC')} - toIntervalSecond(1)) + 1, 10000)))) AS n
        LEFT JOIN
        (
            SELECT dateDiff('hour', {since:DateTime('UTC')}, hour) AS number, sum(value) AS value FROM sketch.hourly_rows
            WHERE namespace = {namespace:String} AND id = xxh3({namespace:String} || ':' || {name:String}) AND hour < {until:DateTime('UTC')}
            GROUP BY number
        ) AS h ON toInt64(n.number) = h.number
        ORDER BY hour
        """,

        """
        CREATE OR REPLACE VIEW sketch.daily_series AS
        SELECT {since:Date} + toIntervalDay(n.number) AS day, d.value AS value
        FROM numbers(toUInt64(greatest(0, least(dateDiff('day', {since:Date}, {until:Date}), 1000)))) AS n
        LEFT JOIN
        (
            SELECT dateDiff('day', {since:Date}, day) AS number, sum(value) AS value FROM sketch.daily_rows
            WHERE namespace = {namespace:String} AND id = xxh3({namespace:String} || ':' || {name:String}) AND day < {until:Date}
            GROUP BY number
        ) AS d ON toInt64(n.number) = d.number
        ORDER BY day
        """,
    ];
}
