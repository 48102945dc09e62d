using System.Globalization;
using System.Security.Cryptography;
using ClickHouse.Driver;
using ClickHouse.Driver.ADO.Readers;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;

namespace Sketch.Storage.Store;

/// <content>
/// Cuts: tables in memory that hold live values as of one moment, so that SQL can ask for them for as long as it likes while counting goes on. What a cut does
/// not hold throws when a statement asks for it: better no number than half of one.
/// </content>
public sealed partial class ClickHouseStore
{
    private const string CutPrefix = "live_cut_";

    /// <summary>Waits for the window that is being stored, and lets none begin until the pause is disposed.</summary>
    /// <param name="log">Which log.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CheckpointStoreException">A window is stored in part, and its store is being tried again; or ClickHouse can't be reached.</exception>
    public async Task<StorePause> PauseAsync(LogIdentity log, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (!_stored.TryGetValue(log, out long position))
            {
                throw new CheckpointStoreException("ClickHouse holds a window in part; it is stored again in seconds");
            }

            return new StorePause(_writing, position, string.Create(CultureInfo.InvariantCulture, $"log = {log.Number} AND to_position > {position}"));
        }
        catch
        {
            _writing.Release();
            throw;
        }
    }

    /// <summary>Counters with their totals at the pause's position.</summary>
    /// <param name="pause">Held until all is read.</param>
    /// <param name="choice">Which counters.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<List<StoredCounter>> ReadCountersAsync(StorePause pause, CutChoice choice, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pause);
        ArgumentNullException.ThrowIfNull(choice);
        string ids = In("namespace", choice.Namespaces);
        string names = choice.Names is null ? ids : $"{ids} AND {In("name", choice.Names)}";
        if (choice.Names is { } some)
        {
            IEnumerable<ulong> wanted = choice.Namespaces.SelectMany(s => some.Select(n => Engine.Catalogue.CounterId.Of(s, n)));
            ids += $" AND id IN ({string.Join(", ", wanted.Select(i => i.ToString(CultureInfo.InvariantCulture)).DefaultIfEmpty("0"))})";
        }

        return await CountersAsync(CountersSql(pause.Unfinished, names, ids), cancellationToken);
    }

    /// <summary>Writes a cut; the name of the table or view that holds it, to be dropped by <see cref="DropCutAsync"/>.</summary>
    /// <param name="cut">Its values.</param>
    /// <param name="isWhole">True when no counter is missing from it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<string> WriteCutAsync(LiveCut cut, bool isWhole, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cut);
        string name = CutPrefix + RandomNumberGenerator.GetHexString(16, lowercase: true);
        string rows = isWhole ? name : name + "_rows";
        await ExecuteAsync($"CREATE TABLE sketch.{rows} ({LiveValuesSchema.Columns}) ENGINE = Memory", cancellationToken);
        await InsertCutAsync(rows, cut, cancellationToken);
        if (!isWhole)
        {
            await ExecuteAsync($"CREATE VIEW sketch.{name} AS {LiveValuesSchema.WithGuard(rows)}", cancellationToken);
        }

        return name;
    }

    /// <summary>Drops a cut; statements that read it go on to their end.</summary>
    public async Task DropCutAsync(string name, CancellationToken cancellationToken)
    {
        await ExecuteAsync($"DROP TABLE IF EXISTS sketch.{name}", cancellationToken);
        await ExecuteAsync($"DROP TABLE IF EXISTS sketch.{name}_rows", cancellationToken);
    }

    /// <summary>Drops what an earlier process left; not what another node may have made just now.</summary>
    private async Task DropOldCutsAsync(CancellationToken cancellationToken)
    {
        List<string> left = [];
        await foreach (ClickHouseDataReader row in RowsAsync(
            $"SELECT name FROM system.tables WHERE database = 'sketch' AND startsWith(name, '{CutPrefix}') AND metadata_modification_time < now() - INTERVAL 10 MINUTE",
            null, cancellationToken))
        {
            left.Add(row.GetString(0));
        }

        foreach (string name in left)
        {
            await ExecuteAsync($"DROP TABLE IF EXISTS sketch.{name}", cancellationToken);
        }
    }

    private async Task InsertCutAsync(string table, LiveCut cut, CancellationToken cancellationToken)
    {
        if (cut.Rows.Count == 0)
        {
            return;
        }

        QueryOptions options = new() { CustomSettings = new Dictionary<string, object>(InsertSettings) };
        using HttpResponseMessage response = await GuardAsync(
            () => _client.PostStreamAsync($"INSERT INTO sketch.{table} FORMAT Native", WriteAsync, false, cancellationToken, options), cancellationToken);

        async Task WriteAsync(Stream stream, CancellationToken token)
        {
            IReadOnlyList<LiveRow> rows = cut.Rows;
            using NativeBlock block = new(stream, 10, rows.Count);
            await block.TextsAsync("namespace", rows.Select(r => r.Namespace), token);
            await block.TextsAsync("name", rows.Select(r => r.Name), token);
            await block.ColumnAsync("id", "UInt64", rows.Select(r => r.Id).ToArray(), token);
            await block.TextsAsync("kind", rows.Select(r => r.Kind), token);
            await block.TextsAsync("tier", rows.Select(r => r.Tier), token);
            await block.ColumnAsync("value", "Int64", rows.Select(r => unchecked((ulong)r.Value)).ToArray(), token);
            await block.ColumnAsync("lower", "Int64", rows.Select(r => unchecked((ulong)r.Lower)).ToArray(), token);
            await block.ColumnAsync("upper", "Int64", rows.Select(r => unchecked((ulong)r.Upper)).ToArray(), token);
            await block.ColumnAsync("confidence", "Float64", rows.Select(r => BitConverter.DoubleToUInt64Bits(r.Confidence)).ToArray(), token);
            await block.ConstantAsync("exact_as_of", "DateTime64(3, 'UTC')", cut.ExactAsOf.ToUnixTimeMilliseconds(), token);
            await block.FlushAsync(token);
        }
    }

    private static string In(string column, IReadOnlyList<string> values) =>
        values.Count == 0 ? "0" : $"{column} IN ({string.Join(", ", values.Select(Quote))})";

    private static string Quote(string text) =>
        "'" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal) + "'";
}
