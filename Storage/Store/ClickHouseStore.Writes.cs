using System.Globalization;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO.Readers;
using Microsoft.Extensions.Logging;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Storage.Store;

/// <content>Storing a window: its names, deltas, sums and its row in checkpoints, and what a window stored in part still owes.</content>
public sealed partial class ClickHouseStore
{
    /// <summary>One block of every insert, whatever its size, since ClickHouse deduplicates by blocks; and stored as it comes.</summary>
    private static readonly KeyValuePair<string, object>[] InsertSettings =
    [
        new("async_insert", 0),
        new("insert_deduplicate", 1),
        new("max_insert_block_size", 8_388_608),
        new("min_insert_block_size_rows", 8_388_608),
        new("min_insert_block_size_bytes", 1_000_000_000),
        new("input_format_native_allow_types_conversion", 1),

        // A window has each key once (names go by id, items by id and item), so that a block has nothing to put together. A fifth of an insert was spent on looking.
        new("optimize_on_insert", 0),
    ];

    /// <inheritdoc/>
    public async ValueTask StoreAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (!_stored.TryGetValue(checkpoint.Log, out long last))
            {
                last = (await PositionAsync(checkpoint.Log, cancellationToken)).Position;
            }

            if (checkpoint.To <= last)
            {
                return; // the guard: tokens are forgotten one day, the row in checkpoints is not
            }

            if (checkpoint.From <= last)
            {
                throw new CheckpointStoreException(
                    $"The window from {checkpoint.From} to {checkpoint.To} overlaps what is stored up to {last}; allowed: windows from {last + 1}");
            }

            // From here on the outcome is unknown until the row in checkpoints is acknowledged.
            _stored.Remove(checkpoint.Log);
            await StoreNamesAsync(checkpoint, cancellationToken);
            foreach (StoreChunk chunk in StoreChunk.Cut(checkpoint, _options.ChunkRows))
            {
                await InsertDeltasAsync(chunk, cancellationToken);
                await InsertSumsAsync(chunk, cancellationToken);
            }

            await StoreElementsAsync(checkpoint, cancellationToken);
            await InsertCheckpointAsync(checkpoint, cancellationToken);
            _stored[checkpoint.Log] = checkpoint.To;
            try
            {
                await DropOldDeltasAsync(checkpoint.FirstTimeMs, cancellationToken);
            }
            catch (CheckpointStoreException error)
            {
                LogNotDropped(error); // the window is stored; the next day tries again
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>
    /// A window that was being stored when this or another process died left deltas without a row in checkpoints, and perhaps without their part
    /// of the totals. The totals get it now, by the tokens of the first try; then every read can take the window off again, until the log
    /// has been replayed and the window is stored whole.
    /// </summary>
    /// <returns>How many rows of deltas there are after the last position.</returns>
    private async Task<long> RepairAsync(LogIdentity log, long last, CancellationToken cancellationToken)
    {
        List<(ulong Incarnation, long From, long To, int Chunk, long TimeMs, int Rows)> pending = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"""
                SELECT incarnation, toInt64(from_position), toInt64(to_position), toInt32(chunk), toUnixTimestamp64Milli(min(time)), toInt32(count())
                FROM sketch.deltas WHERE log = {log.Number} AND to_position > {last}
                GROUP BY incarnation, from_position, to_position, chunk ORDER BY to_position, chunk
                """), null, cancellationToken))
        {
            pending.Add((row.GetFieldValue<ulong>(0), row.GetInt64(1), row.GetInt64(2), row.GetInt32(3), row.GetInt64(4), row.GetInt32(5)));
        }

        foreach ((ulong incarnation, long from, long to, int number, long timeMs, int rows) in pending)
        {
            RefuseOther(log, incarnation, $"from {from} to {to}, not finished,");
            ChunkKey key = new(log, from, to, number);
            if (_repaired.Contains((key, rows)))
            {
                continue; // with other rows it has come to another shard since
            }

            StoreChunk chunk = new(key, timeMs, rows);
            await foreach (StoredSums sums in SumsAsync(
                string.Create(CultureInfo.InvariantCulture,
                    $"""
                    SELECT namespace, id, delta FROM sketch.deltas
                    WHERE log = {log.Number} AND to_position = {to} AND from_position = {from} AND chunk = {number} ORDER BY namespace, id
                    """), cancellationToken))
            {
                for (int i = 0; i < sums.Ids.Length; i++)
                {
                    chunk.Add(sums.Namespace, sums.Ids.Span[i], sums.Sums.Span[i]);
                }
            }

            if (chunk.Count != rows)
            {
                throw new CheckpointStoreException($"ClickHouse told {chunk.Count} of the {rows} rows of chunk {number} of the window from {from} to {to}");
            }

            await InsertSumsAsync(chunk, cancellationToken);
            _repaired.Add((key, rows));
            LogRepaired(from, to, number, rows);
        }

        return pending.Sum(p => (long)p.Rows);
    }

    private async Task StoreNamesAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        for (int start = 0, number = 0; start < checkpoint.Names.Count; start += _options.ChunkRows, number++)
        {
            int rows = Math.Min(_options.ChunkRows, checkpoint.Names.Count - start);
            NamedCounter[] names = [.. checkpoint.Names.Skip(start).Take(rows)];
            ChunkKey key = new(checkpoint.Log, checkpoint.From, checkpoint.To, number);
            await InsertAsync("counter_rows", "namespace, name, id, kind, tier, labels, position, generation, deleted", key, 9, rows, async (block, token) =>
            {
                await block.RunsAsync("namespace", Runs(names, n => n.Namespace), token);
                await block.TextsAsync("name", names.Select(n => n.Name), token);
                await block.ColumnAsync("id", "UInt64", names.Select(n => n.Id).ToArray(), token);
                await block.RunsAsync("kind", Runs(names, n => n.Kind), token);
                await block.RunsAsync("tier", Runs(names, n => n.Tier), token);
                await block.MapsAsync("labels", names.Select(n => n.Labels), token);
                await block.ConstantAsync("position", "UInt64", (ulong)checkpoint.To, token);
                await block.ColumnAsync("generation", "UInt64", names.Select(n => (ulong)n.Generation).ToArray(), token);
                block.Begin("deleted", "UInt8");
                await block.ValuesAsync(names.Select(n => n.Deleted ? (byte)1 : (byte)0), token);
            }, cancellationToken);
        }
    }

    private static List<(string Value, int Rows)> Runs(NamedCounter[] names, Func<NamedCounter, string> text)
    {
        List<(string Value, int Rows)> runs = [];
        foreach (NamedCounter counter in names)
        {
            string value = text(counter);
            if (runs.Count > 0 && runs[^1].Value == value)
            {
                runs[^1] = (value, runs[^1].Rows + 1);
            }
            else
            {
                runs.Add((value, 1));
            }
        }

        return runs;
    }

    private Task InsertDeltasAsync(StoreChunk chunk, CancellationToken cancellationToken) =>
        InsertAsync(
            "deltas", "log, incarnation, from_position, to_position, chunk, time, namespace, id, delta", chunk.Key, 9, chunk.Count,
            async (block, token) =>
            {
                await block.ConstantAsync("log", "UInt16", (ushort)chunk.Key.Log.Number, token);
                await block.RepeatedAsync("incarnation", "UInt64", chunk.Key.Log.Incarnation, token);
                await block.RepeatedAsync("from_position", "UInt64", (ulong)chunk.Key.From, token);
                await block.RepeatedAsync("to_position", "UInt64", (ulong)chunk.Key.To, token);
                await block.ConstantAsync("chunk", "UInt16", (ushort)chunk.Key.Chunk, token);
                await block.ConstantAsync("time", "DateTime64(3, 'UTC')", chunk.TimeMs, token);
                await block.RunsAsync("namespace", chunk.Namespaces, token);
                await block.ColumnAsync("id", "UInt64", chunk.Ids, token);
                await block.ColumnAsync("delta", "Int64", chunk.Deltas, token);
            }, cancellationToken);

    private async Task InsertSumsAsync(StoreChunk chunk, CancellationToken cancellationToken)
    {
        await InsertAsync("hourly_rows", "namespace, id, hour, value, days", chunk.Key, 5, chunk.Count, async (block, token) =>
        {
            await block.RunsAsync("namespace", chunk.Namespaces, token);
            await block.ColumnAsync("id", "UInt64", chunk.Ids, token);
            await block.RepeatedAsync("hour", "DateTime('UTC')", (uint)(chunk.TimeMs / 3_600_000 * 3_600), token);
            await block.ColumnAsync("value", "Int64", chunk.Deltas, token);
            await block.RunsAsync("days", "UInt16", [.. chunk.Namespaces.Select(n => (chunk.DaysOf(n.Namespace), n.Rows))], token);
        }, cancellationToken);
        await InsertAsync("daily_rows", "namespace, id, day, value", chunk.Key, 4, chunk.Count, async (block, token) =>
        {
            await block.RunsAsync("namespace", chunk.Namespaces, token);
            await block.ColumnAsync("id", "UInt64", chunk.Ids, token);
            await block.RepeatedAsync("day", "Date", (ushort)(chunk.TimeMs / 86_400_000), token);
            await block.ColumnAsync("value", "Int64", chunk.Deltas, token);
        }, cancellationToken);
        await InsertAsync("total_rows", "namespace, id, value, position", chunk.Key, 4, chunk.Count, async (block, token) =>
        {
            await block.RunsAsync("namespace", chunk.Namespaces, token);
            await block.ColumnAsync("id", "UInt64", chunk.Ids, token);
            await block.ColumnAsync("value", "Int64", chunk.Deltas, token);
            await block.RepeatedAsync("position", "UInt64", (ulong)chunk.Key.To, token);
        }, cancellationToken);
    }

    private Task InsertCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken) =>
        InsertAsync(
            "checkpoints", "log, incarnation, from_position, to_position, first_time, last_time, increments, counters",
            new ChunkKey(checkpoint.Log, checkpoint.From, checkpoint.To, 0), 8, 1, async (block, token) =>
            {
                await block.ConstantAsync("log", "UInt16", (ushort)checkpoint.Log.Number, token);
                await block.ConstantAsync("incarnation", "UInt64", checkpoint.Log.Incarnation, token);
                await block.ConstantAsync("from_position", "UInt64", (ulong)checkpoint.From, token);
                await block.ConstantAsync("to_position", "UInt64", (ulong)checkpoint.To, token);
                await block.ConstantAsync("first_time", "DateTime64(3, 'UTC')", checkpoint.FirstTimeMs, token);
                await block.ConstantAsync("last_time", "DateTime64(3, 'UTC')", checkpoint.LastTimeMs, token);
                await block.ConstantAsync("increments", "UInt64", (ulong)checkpoint.Increments, token);
                await block.ConstantAsync("counters", "UInt64", (ulong)checkpoint.Deltas.Count, token);
            }, cancellationToken);

    private async Task InsertAsync(
        string table, string columns, ChunkKey key, int columnCount, int rows, Func<NativeBlock, CancellationToken, Task> write,
        CancellationToken cancellationToken)
    {
        await _options.BeforeInsert(table);
        QueryOptions options = new()
        {
            CustomSettings = new Dictionary<string, object>(InsertSettings) { ["insert_deduplication_token"] = key.Token },
        };
        using HttpResponseMessage response = await GuardAsync(
            () => _client.PostStreamAsync($"INSERT INTO sketch.{table} ({columns}) FORMAT Native", WriteAsync, false, cancellationToken, options),
            cancellationToken);

        async Task WriteAsync(Stream stream, CancellationToken token)
        {
            using NativeBlock block = new(stream, columnCount, rows);
            await write(block, token);
            await block.FlushAsync(token);
        }
    }

    /// <summary>
    /// Lets go of old deltas by days of log time. Not by a TTL: the deltas of a window that is not finished are needed, however long the node was down.
    /// </summary>
    private async Task DropOldDeltasAsync(long timeMs, CancellationToken cancellationToken)
    {
        DateTime day = DateTimeOffset.FromUnixTimeMilliseconds(timeMs).UtcDateTime.Date.AddDays(-_options.KeepDeltasDays);
        if (Interlocked.Exchange(ref _droppedBefore, day.Ticks) == day.Ticks)
        {
            return;
        }

        List<string> partitions = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            $"SELECT DISTINCT partition FROM {_layout.Parts} WHERE database = 'sketch' AND table = '{_layout.PartsOf("deltas")}' AND active AND partition < '{day:yyyyMMdd}'",
            null, cancellationToken))
        {
            partitions.Add(row.GetString(0));
        }

        foreach (string partition in partitions)
        {
            await ExecuteAsync($"ALTER TABLE {_layout.TargetOf("deltas")} DROP PARTITION {int.Parse(partition, CultureInfo.InvariantCulture)}", cancellationToken);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Old deltas could not be dropped")]
    private partial void LogNotDropped(Exception error);

    [LoggerMessage(LogLevel.Warning, "The window from {From} to {To} was not stored whole; chunk {Chunk} with {Rows} rows is in the totals now and waits for the log")]
    private partial void LogRepaired(long from, long to, int chunk, int rows);
}
