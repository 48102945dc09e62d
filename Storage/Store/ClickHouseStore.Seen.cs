using System.Globalization;
using ClickHouse.Driver.ADO.Readers;
using Sketch.Engine.Checkpoints;

namespace Sketch.Storage.Store;

/// <content>Hours of distinct elements. Rows may be stored again without effect: registers and counts merge by their maximum.</content>
public sealed partial class ClickHouseStore
{
    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<SeenPoint>> ReadSeenAsync(
        string @namespace, ulong id, long generation, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepHours, 1);
        List<SeenPoint> points = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $$"""
                SELECT start, merged.1, merged.2 FROM
                (
                    SELECT toInt64(intDiv(toUnixTimestamp(hour), {{stepHours * 3600L}}) * {{stepHours * 3600L}}) AS start, maxMap(registers) AS merged
                    FROM sketch.seen_rows
                    WHERE namespace = {namespace:String} AND id = {{id}} AND generation = {{generation}}
                      AND toUnixTimestamp(hour) >= {{from.ToUnixTimeSeconds()}} AND toUnixTimestamp(hour) < {{to.ToUnixTimeSeconds()}}
                    GROUP BY start
                )
                ORDER BY start
                """), Of(@namespace), cancellationToken))
        {
            points.Add(new SeenPoint(DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(0)), row.GetFieldValue<uint[]>(1), row.GetFieldValue<byte[]>(2)));
        }

        return points;
    }

    private async Task StoreSeenAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        Dictionary<(ulong, long), long> counts = checkpoint.Distincts.ToDictionary(r => (r.Id, r.Generation), r => r.Value);
        int most = Math.Min(_options.ChunkRows, 10_000);
        byte minute = (byte)(checkpoint.LastTimeMs / 60_000 % 60);
        for (int start = 0, number = 0; start < checkpoint.Seen.Count; start += most, number++)
        {
            SeenElements[] rows = [.. checkpoint.Seen.Skip(start).Take(most)];
            ChunkKey key = new(checkpoint.Log, checkpoint.From, checkpoint.To, number);
            await InsertAsync("seen_rows", "namespace, id, generation, hour, registers, counts, days", key, 7, rows.Length, async (block, token) =>
            {
                await block.TextsAsync("namespace", rows.Select(r => r.Namespace), token);
                await block.ColumnAsync("id", "UInt64", rows.Select(r => r.Id).ToArray(), token);
                await block.ColumnAsync("generation", "UInt64", rows.Select(r => (ulong)r.Generation).ToArray(), token);
                await block.ConstantAsync("hour", "DateTime('UTC')", (uint)(checkpoint.FirstTimeMs / 3_600_000 * 3_600), token);
                block.Begin("registers", "Tuple(Array(UInt32), Array(UInt8))");
                await block.ArraysAsync(rows.Select(r => r.Indexes), token);
                await block.ArraysAsync(rows.Select(r => r.Ranks), token);
                block.Begin("counts", StoreSchema.CountsType);
                // A counter that was removed while the window was open has no count any more.
                IReadOnlyList<ulong>[] values = [.. rows.Select(r => counts.TryGetValue((r.Id, r.Generation), out long count) ? new[] { (ulong)count } : [])];
                await block.ArraysAsync(values.Select(v => (IReadOnlyList<byte>)[.. v.Select(_ => minute)]), token);
                await block.ArraysAsync(values, token);
                block.Begin("days", "UInt16");
                await block.ValuesAsync(rows.Select(r => StoreChunk.DaysOf(checkpoint.RetentionDays, r.Namespace)), token);
            }, cancellationToken);
        }
    }
}
