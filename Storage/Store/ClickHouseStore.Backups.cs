using System.Globalization;
using ClickHouse.Driver.ADO.Readers;
using Sketch.Engine.Checkpoints;

namespace Sketch.Storage.Store;

/// <summary>How far a backup or restore is.</summary>
/// <param name="Files">Files that it is made of.</param>
/// <param name="FilesDone">Files that are done.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="BytesDone">Bytes that are done.</param>
public readonly record struct BackupProgress(long Files, long FilesDone, long Bytes, long BytesDone);

/// <content>ClickHouse's own backups, in the embedded engine's backups folder.</content>
public sealed partial class ClickHouseStore
{
    private static readonly TimeSpan BackupPoll = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Writes the database as it is at the pause's position. The pause is over as soon as ClickHouse knows which parts belong to it: from then on they stay as they
    /// are, and copying them takes as long as it likes.
    /// </summary>
    /// <param name="name">A name of its own.</param>
    /// <param name="basis">The earlier backup of which only the difference is written; null for a full one.</param>
    /// <param name="pause">Disposed by this call.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="CheckpointStoreException">It failed, or a window is stored in part.</exception>
    public async Task<BackupProgress> BackupAsync(string name, string? basis, StorePause pause, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pause);
        using (pause)
        {
            await foreach (ClickHouseDataReader row in RowsAsync($"SELECT toInt64(count()) FROM sketch.deltas WHERE {pause.Unfinished}", null, cancellationToken))
            {
                if (row.GetInt64(0) > 0)
                {
                    throw new CheckpointStoreException("ClickHouse holds a window in part; it is stored again in seconds");
                }
            }

            string settings = basis is null ? "" : $" SETTINGS base_backup = File({Quote(basis)})";
            await ExecuteAsync($"BACKUP DATABASE sketch TO File({Quote(name)}){settings} ASYNC", cancellationToken);
            for (BackupProgress begun = default; begun.Files == 0;)
            {
                (begun, _) = await ProgressAsync(name, cancellationToken);
                await Task.Delay(BackupPoll, cancellationToken);
            }
        }

        return await FinishAsync(name, _ => { }, cancellationToken);
    }

    /// <summary>Restores the database from a backup into an engine that has none.</summary>
    /// <param name="options">Which ClickHouse.</param>
    /// <param name="name">The backup's name.</param>
    /// <param name="progress">Told now and then.</param>
    /// <param name="logger">For the store.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="CheckpointStoreException">It failed.</exception>
    public static async Task RestoreAsync(
        ClickHouseStoreOptions options, string name, Action<BackupProgress> progress, Microsoft.Extensions.Logging.ILogger<ClickHouseStore> logger,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        await using ClickHouseStore store = new(options, logger);
        await store.ExecuteAsync(Sketches.HyperLogLogSql.CreateFunction, cancellationToken);
        await store.ExecuteAsync($"RESTORE DATABASE sketch FROM File({Quote(name)}) ASYNC", cancellationToken);
        await store.FinishAsync(name, progress, cancellationToken);
    }

    private async Task<BackupProgress> FinishAsync(string name, Action<BackupProgress> progress, CancellationToken cancellationToken)
    {
        while (true)
        {
            (BackupProgress now, string status) = await ProgressAsync(name, cancellationToken);
            progress(now);
            if (status is "BACKUP_CREATED" or "RESTORED")
            {
                return now;
            }

            await Task.Delay(BackupPoll, cancellationToken);
        }
    }

    private async Task<(BackupProgress Progress, string Status)> ProgressAsync(string name, CancellationToken cancellationToken)
    {
        BackupProgress progress = default;
        string status = "";
        await foreach (ClickHouseDataReader row in RowsAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"""
                SELECT toString(status), error, toInt64(num_files), toInt64(files_read), toInt64(total_size), toInt64(bytes_read)
                FROM system.backups WHERE name = {Quote($"File('{name}')")} ORDER BY start_time DESC LIMIT 1
                """), null, cancellationToken))
        {
            status = row.GetString(0);
            progress = new BackupProgress(row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5));
            if (status is not ("CREATING_BACKUP" or "BACKUP_CREATED" or "RESTORING" or "RESTORED"))
            {
                throw new CheckpointStoreException($"ClickHouse: {status}: {row.GetString(1)}");
            }
        }

        return (progress, status);
    }
}
