using Sketch.Engine;
using Sketch.Engine.Checkpoints;
using Sketch.Server.Backups;
using Sketch.Server.Rest;
using Sketch.Server.Verify;
using Sketch.Storage.Store;

namespace Sketch.Server.Hosting;

/// <summary>Backups and verifications of a node, by request and by themselves, from when it is open until it closes.</summary>
internal sealed class NodeOperations : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private NodeBackup? _backups;
    private NodeVerification? _verification;
    private Task _work = Task.CompletedTask;
    private bool _disposed;

    /// <summary>Backups.</summary>
    /// <exception cref="ProblemException">This node makes none.</exception>
    public NodeBackup Backups => _backups ?? throw new ProblemException(Problem.Of(
        409, "no-backups", "No backups here", "clickhouse", "a server of the operator's, or none", "a node with its own ClickHouse; a server has BACKUP of its own"));

    /// <summary>Verifications.</summary>
    /// <exception cref="ProblemException">This node has none.</exception>
    public NodeVerification Verification => _verification ?? throw new ProblemException(Problem.Of(
        409, "no-verification", "Nothing to compare with", "clickhouse", "none", "a node with ClickHouse and a log of its own"));

    /// <summary>Begins, once the engine is open.</summary>
    public void Open(ServeOptions options, CountingEngine engine, ClickHouseStore store, RetainedLog log, TimeProvider time, ILoggerFactory loggers)
    {
        string engineFolder = Path.Combine(options.Data, EngineSnapshot.Folder);
        _verification = new NodeVerification(engine, store, log, engineFolder, time, loggers.CreateLogger<NodeVerification>());
        List<Task> work = [Task.Run(() => _verification.SampleAsync(_stopping.Token))];
        if (options.ClickHouse is null)
        {
            NodeBackup backups = _backups = new NodeBackup(options.Data, store, log, time, loggers.CreateLogger<NodeBackup>());
            if (options.Backup is { } folder)
            {
                BackupSchedule schedule = new((full, token) => backups.RunAsync(folder, full, options.BackupKeep, token), folder, time, loggers.CreateLogger<BackupSchedule>());
                engine.Meter.CreateObservableGauge("backup_last_seconds", () => (schedule.LastAt?.ToUnixTimeMilliseconds() ?? 0) / 1000.0, description: "When the newest backup was begun, in seconds since 1970; 0 before the first.");
                engine.Meter.CreateObservableGauge("backup_failing", () => schedule.IsFailing ? 1 : 0, description: "1 while scheduled backups fail.");
                work.Add(Task.Run(() => schedule.RunAsync(_stopping.Token)));
            }
        }

        _work = Task.WhenAll(work);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _backups?.Dispose();
        _verification?.Dispose();
        _stopping.Dispose();
    }
}
