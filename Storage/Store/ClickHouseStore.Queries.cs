using ClickHouse.Driver.ADO.Parameters;
using ClickHouse.Driver.ADO.Readers;
using ClickHouse.Driver.Utility;
using Sketch.Engine.Checkpoints;

namespace Sketch.Storage.Store;

/// <summary>How far a statement is that runs.</summary>
/// <param name="ReadRows">Rows that it has read.</param>
/// <param name="ReadBytes">Their bytes, as ClickHouse holds them.</param>
/// <param name="WrittenRows">Rows that it has written.</param>
/// <param name="WrittenBytes">Their bytes.</param>
/// <param name="RowsToRead">Rows that it will have read, as far as ClickHouse knows.</param>
/// <param name="Elapsed">For how long it runs.</param>
/// <param name="MemoryBytes">Memory that it holds.</param>
public readonly record struct QueryProgress(
    long ReadRows, long ReadBytes, long WrittenRows, long WrittenBytes, long RowsToRead, TimeSpan Elapsed, long MemoryBytes);

/// <content>Statements of others that ClickHouse is running.</content>
public sealed partial class ClickHouseStore
{
    /// <summary>How far the statement with an id is; null when none runs. The embedded engine gives statements ids of its own, and has the client's as the comment's beginning.</summary>
    /// <param name="queryId">The id that its client chose.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CheckpointStoreException">ClickHouse can't be reached.</exception>
    public async Task<QueryProgress?> ReadProgressAsync(string queryId, CancellationToken cancellationToken)
    {
        ClickHouseParameterCollection parameters = [];
        parameters.AddParameter("id", queryId);
        await foreach (ClickHouseDataReader row in RowsAsync(
            """
            SELECT toInt64(read_rows), toInt64(read_bytes), toInt64(written_rows), toInt64(written_bytes), toInt64(total_rows_approx), elapsed, toInt64(memory_usage)
            FROM system.processes WHERE query_id = {id:String} OR startsWith(Settings['log_comment'], {id:String} || ' ') ORDER BY elapsed LIMIT 1
            """, parameters, cancellationToken))
        {
            return new QueryProgress(
                row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4),
                TimeSpan.FromSeconds(row.GetDouble(5)), row.GetInt64(6));
        }

        return null;
    }
}
