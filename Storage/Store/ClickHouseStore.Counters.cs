using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
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
    private const int BufferBytes = 1 << 20;

    private delegate bool RowParser<T>(ref RowBinary bytes, out T row);

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
    public async IAsyncEnumerable<IReadOnlyList<StoredName>> ReadAllNamesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (IReadOnlyList<StoredName> batch in BatchesAsync(
            "SELECT namespace, name, id FROM sketch.counter_rows FINAL WHERE NOT deleted", NameParser(), cancellationToken))
        {
            yield return batch;
        }

        string joined = CountersSql(await UnfinishedAsync(cancellationToken), "deleted", "id IN (SELECT id FROM sketch.counter_rows WHERE deleted)");
        await foreach (IReadOnlyList<StoredCounter> batch in BatchesAsync(joined, CounterParser(), cancellationToken))
        {
            yield return [.. batch.Select(c => new StoredName(c.Namespace, c.Name, c.Id, IsDeleted: true))];
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<IReadOnlyList<StoredSum>> ReadAllTotalsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string unfinished = await UnfinishedAsync(cancellationToken);
        await foreach (IReadOnlyList<StoredSum> batch in BatchesAsync(
            $"""
            SELECT t.namespace, t.id, t.value - d.delta FROM (SELECT namespace, id, value FROM sketch.total_rows FINAL) AS t
            LEFT JOIN (SELECT id, sum(delta) AS delta FROM sketch.deltas WHERE {unfinished} GROUP BY id) AS d ON t.id = d.id
            """, SumParser(), cancellationToken))
        {
            yield return batch;
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

    private static RowParser<StoredName> NameParser()
    {
        Func<ReadOnlyMemory<byte>, string> text = Repeated();
        return (ref RowBinary bytes, out StoredName row) =>
        {
            bool isWhole = bytes.TryRead(out ReadOnlyMemory<byte> space) & bytes.TryRead(out ReadOnlyMemory<byte> name) & bytes.TryRead(out ulong id);
            row = isWhole ? new StoredName(text(space), name, id) : default;
            return isWhole;
        };
    }

    private static RowParser<StoredCounter> CounterParser()
    {
        Func<ReadOnlyMemory<byte>, string> text = Repeated();
        return (ref RowBinary bytes, out StoredCounter row) =>
        {
            bool isWhole = bytes.TryRead(out ReadOnlyMemory<byte> space) & bytes.TryRead(out ReadOnlyMemory<byte> name) & bytes.TryRead(out ulong id)
                & bytes.TryRead(out long total);
            row = isWhole ? new StoredCounter(text(space), name, id, total) : default;
            return isWhole;
        };
    }

    private static RowParser<StoredSum> SumParser()
    {
        Func<ReadOnlyMemory<byte>, string> text = Repeated();
        return (ref RowBinary bytes, out StoredSum row) =>
        {
            bool isWhole = bytes.TryRead(out ReadOnlyMemory<byte> space) & bytes.TryRead(out ulong id) & bytes.TryRead(out long total);
            row = isWhole ? new StoredSum(text(space), id, total) : default;
            return isWhole;
        };
    }

    // Namespaces come many times after each other: one string for all of these.
    private static Func<ReadOnlyMemory<byte>, string> Repeated()
    {
        string last = "";
        return text => Ascii.Equals(text.Span, last) ? last : last = Encoding.UTF8.GetString(text.Span);
    }

    /// <summary>An answer's rows. Texts stay in a buffer: each batch is valid until the next is asked for.</summary>
    private async IAsyncEnumerable<IReadOnlyList<T>> BatchesAsync<T>(
        string sql, RowParser<T> parser, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using ClickHouseRawResult result = await GuardAsync(
            () => _client.ExecuteRawResultAsync(sql + "\nFORMAT RowBinary", null, cancellationToken), cancellationToken);
        await using Stream stream = await GuardAsync(result.ReadAsStreamAsync, cancellationToken);
        List<T> batch = [];
        byte[] buffer = new byte[BufferBytes];
        for (int filled = 0; ;)
        {
            int read = await GuardAsync(() => stream.ReadAsync(buffer.AsMemory(filled), cancellationToken).AsTask(), cancellationToken);
            filled += read;
            int used = Parse(buffer.AsMemory(0, filled), parser, batch);
            if (batch.Count > 0)
            {
                yield return batch;
                batch.Clear();
            }

            buffer.AsSpan(used, filled - used).CopyTo(buffer);
            filled -= used;
            if (read == 0)
            {
                if (filled > 0)
                {
                    throw new CheckpointStoreException($"ClickHouse's answer breaks off within a row; {filled} bytes are left");
                }

                break;
            }
        }
    }

    private static int Parse<T>(ReadOnlyMemory<byte> bytes, RowParser<T> parser, List<T> batch)
    {
        int used = 0;
        while (true)
        {
            RowBinary row = new(bytes[used..]);
            if (!parser(ref row, out T value))
            {
                return used;
            }

            used += row.Length;
            batch.Add(value);
        }
    }

    /// <summary>The condition on deltas that are in the totals already, but beyond the last checkpoint of their log.</summary>
    private async Task<string> UnfinishedAsync(CancellationToken cancellationToken)
    {
        HashSet<LogIdentity> logs = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            "SELECT DISTINCT incarnation, toInt32(log) FROM (SELECT incarnation, log FROM sketch.checkpoints UNION ALL SELECT incarnation, log FROM sketch.deltas)",
            null, cancellationToken))
        {
            logs.Add(new LogIdentity(row.GetFieldValue<ulong>(0), row.GetInt32(1)));
        }

        StringBuilder condition = new("0");
        foreach (LogIdentity log in logs)
        {
            StoredPosition last = await LastAsync(log, cancellationToken);
            condition.Append(CultureInfo.InvariantCulture, $" OR (log = {log.Number} AND to_position > {last.Position})");
        }

        return condition.ToString();
    }
}
