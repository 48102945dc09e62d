using System.Globalization;
using System.Runtime.CompilerServices;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO;
using ClickHouse.Driver.ADO.Parameters;
using ClickHouse.Driver.ADO.Readers;
using ClickHouse.Driver.Utility;
using Microsoft.Extensions.Logging;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Storage.Store;

/// <summary>
/// Exact checkpoints in ClickHouse: the embedded one or a server, by the same statements. A window is stored in this order: its new names, then for each chunk
/// deltas, hours and totals, then its row in checkpoints. Each insert carries a token that is the same in every try, so that a try after
/// any failure adds only what is missing (I4).
/// </summary>
public sealed partial class ClickHouseStore : ICheckpointStore
{
    private readonly ClickHouseStoreOptions _options;
    private readonly StoreLayout _layout;
    private readonly ILogger _logger;
    private readonly HttpClient _http;
    private readonly ClickHouseClient _client;
    private readonly Dictionary<LogIdentity, long> _stored = [];
    private readonly HashSet<(ChunkKey Key, int Rows)> _repaired = [];
    private readonly SemaphoreSlim _writing = new(1);
    private long _droppedBefore;

    private ClickHouseStore(ClickHouseStoreOptions options, ILogger<ClickHouseStore> logger)
    {
        _options = options;
        _layout = StoreLayout.Of(options.Cluster);
        _logger = logger;
        _http = new HttpClient(options.CreateHandler()) { Timeout = options.Timeout };
        Uri address = options.Address();
        _client = new ClickHouseClient(new ClickHouseClientSettings
        {
            Protocol = address.Scheme,
            Host = address.Host,
            Port = (ushort)address.Port,
            Username = options.User,
            Password = options.Password,
            HttpClient = _http,
            UseCompression = options.Compress,
            Timeout = options.Timeout,
            CustomSettings = new Dictionary<string, object>(_layout.Settings),
        });
    }

    /// <summary>Connects, and makes the database and its tables where they are missing.</summary>
    /// <param name="options">Which ClickHouse.</param>
    /// <param name="logger">For what was repaired after a crash.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CheckpointStoreException">It can't be reached, or refuses.</exception>
    public static async Task<ClickHouseStore> OpenAsync(
        ClickHouseStoreOptions options, ILogger<ClickHouseStore> logger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ClickHouseStore store = new(options, logger);
        try
        {
            await store.MigrateAsync(cancellationToken);
            await store.DropOldCutsAsync(cancellationToken);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<StoredPosition> LastAsync(LogIdentity log, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            StoredPosition last = await PositionAsync(log, cancellationToken);
            long unfinished = await RepairAsync(log, last.Position, cancellationToken);
            _stored[log] = last.Position;
            return last with { UnfinishedRows = unfinished };
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<string>> FindNamesAsync(
        string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        ClickHouseParameterCollection parameters = [];
        parameters.AddParameter("namespace", @namespace);
        parameters.AddParameter("prefix", prefix);
        parameters.AddParameter("after", after ?? "");
        List<string> names = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $$"""
                SELECT name FROM sketch.counter_rows FINAL
                WHERE NOT deleted AND namespace = {namespace:String} AND startsWith(name, {prefix:String}) AND name > {after:String}
                ORDER BY name LIMIT {{limit}}
                """), parameters, cancellationToken))
        {
            names.Add(row.GetString(0));
        }

        return names;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<HistoryPoint>> ReadHistoryAsync(
        string @namespace, ulong id, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stepHours, 1);
        ClickHouseParameterCollection parameters = [];
        parameters.AddParameter("namespace", @namespace);
        List<HistoryPoint> points = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $$"""
                SELECT toInt64(intDiv(toUnixTimestamp(hour), {{stepHours * 3600L}}) * {{stepHours * 3600L}}) AS start, sum(value)
                FROM sketch.hourly_rows
                WHERE namespace = {namespace:String} AND id = {{id}}
                  AND toUnixTimestamp(hour) >= {{from.ToUnixTimeSeconds()}} AND toUnixTimestamp(hour) < {{to.ToUnixTimeSeconds()}}
                GROUP BY start ORDER BY start
                """), parameters, cancellationToken))
        {
            points.Add(new HistoryPoint(DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(0)), row.GetInt64(1)));
        }

        return points;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _http.Dispose();
        _writing.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<StoredPosition> PositionAsync(LogIdentity log, CancellationToken cancellationToken)
    {
        StoredPosition last = default;
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"""
                SELECT incarnation, toInt64(max(to_position)), toUnixTimestamp64Milli(argMax(last_time, to_position))
                FROM sketch.checkpoints WHERE log = {log.Number} GROUP BY incarnation
                """), null, cancellationToken))
        {
            RefuseOther(log, row.GetFieldValue<ulong>(0), $"up to position {row.GetInt64(1)}");
            last = new StoredPosition(row.GetInt64(1), row.GetInt64(2));
        }

        return last;
    }

    private static void RefuseOther(LogIdentity log, ulong incarnation, string what)
    {
        if (incarnation != log.Incarnation)
        {
            throw new CheckpointStoreException(
                $"ClickHouse holds checkpoints of log {log.Number} {what} from another incarnation ({incarnation:x16}) than this log's "
                + $"({log.Incarnation:x16}): its positions mean other increments. Bring back the log they belong to, or use a ClickHouse without database sketch.");
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken) =>
        await GuardAsync(() => _client.ExecuteNonQueryAsync(sql, null, null, cancellationToken), cancellationToken);

    private async IAsyncEnumerable<ClickHouseDataReader> RowsAsync(
        string sql, ClickHouseParameterCollection? parameters, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using ClickHouseDataReader reader = await GuardAsync(
            () => _client.ExecuteReaderAsync(sql, parameters, null, cancellationToken), cancellationToken);
        while (await GuardAsync(() => reader.ReadAsync(cancellationToken), cancellationToken))
        {
            yield return reader;
        }
    }

    /// <summary>Turns whatever the way to ClickHouse throws into the one exception that callers know.</summary>
    private static async Task<T> GuardAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (Exception error) when (
            error is HttpRequestException or ClickHouseServerException or (IOException and not CheckpointStoreException) or ObjectDisposedException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new CheckpointStoreException($"ClickHouse: {error.Message}", error);
        }
    }
}
