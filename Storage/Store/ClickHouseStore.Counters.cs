using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.ADO.Readers;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Storage.Store;

public sealed partial class ClickHouseStore
{
    private const int CountersBatch = 8_192;

    /// <inheritdoc/>
    public async IAsyncEnumerable<IReadOnlyList<StoredCounter>> ReadCountersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string unfinished = await UnfinishedAsync(cancellationToken);
        await foreach (IReadOnlyList<StoredCounter> batch in ReadCountersAsync(unfinished, "1", "1", cancellationToken))
        {
            yield return batch;
        }
    }

    private async IAsyncEnumerable<IReadOnlyList<StoredCounter>> ReadCountersAsync(
        string unfinished, string names, string ids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string sql = $"""
            SELECT c.namespace, c.name, c.id, t.value, c.deleted FROM (SELECT * FROM sketch.counter_rows FINAL WHERE {names}) AS c
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
            FORMAT RowBinary
            """;
        using ClickHouseRawResult result = await GuardAsync(
            () => _client.ExecuteRawResultAsync(sql, null, cancellationToken), cancellationToken);
        await using Stream stream = await GuardAsync(result.ReadAsStreamAsync, cancellationToken);
        List<StoredCounter> batch = new(CountersBatch);
        byte[] buffer = new byte[1 << 20];
        string lastNamespace = "";
        for (int filled = 0; ;)
        {
            int read = await GuardAsync(() => stream.ReadAsync(buffer.AsMemory(filled), cancellationToken).AsTask(), cancellationToken);
            filled += read;
            int used = 0;
            // Names stay in the buffer: what a batch holds of it is told before it is filled again.
            while (TryRead(buffer.AsMemory(used, filled - used), ref lastNamespace, out StoredCounter counter, out int length))
            {
                used += length;
                batch.Add(counter);
            }

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
                    throw new CheckpointStoreException($"ClickHouse's answer breaks off within a counter; {filled} bytes are left");
                }

                break;
            }
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

    private static bool TryRead(ReadOnlyMemory<byte> memory, ref string lastNamespace, out StoredCounter counter, out int length)
    {
        ReadOnlySpan<byte> bytes = memory.Span;
        counter = default;
        length = 0;
        if (!TryReadText(bytes, ref length, out ReadOnlySpan<byte> space) || !TryReadText(bytes, ref length, out ReadOnlySpan<byte> name)
            || bytes.Length - length < 17)
        {
            return false;
        }

        if (!Ascii.Equals(space, lastNamespace))
        {
            lastNamespace = Encoding.UTF8.GetString(space);
        }

        counter = new StoredCounter(
            lastNamespace, memory.Slice(length - name.Length, name.Length), BinaryPrimitives.ReadUInt64LittleEndian(bytes[length..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[(length + 8)..]), bytes[length + 16] != 0);
        length += 17;
        return true;
    }

    private static bool TryReadText(ReadOnlySpan<byte> bytes, ref int at, out ReadOnlySpan<byte> text)
    {
        text = default;
        int size = 0;
        for (int shift = 0; ; shift += 7)
        {
            if (at == bytes.Length || shift > 28)
            {
                return false;
            }

            byte part = bytes[at++];
            size |= (part & 0x7F) << shift;
            if (part < 0x80)
            {
                break;
            }
        }

        if (bytes.Length - at < size)
        {
            return false;
        }

        text = bytes.Slice(at, size);
        at += size;
        return true;
    }
}
