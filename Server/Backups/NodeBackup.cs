using System.Globalization;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Server.Hosting;
using Sketch.Server.Rest;
using Sketch.Storage.Embedded;
using Sketch.Storage.Store;

namespace Sketch.Server.Backups;

/// <summary>
/// Backups of a running node: ClickHouse as of one position, the snapshot that a replay begins with, the log since, and the secret. Incremental ones hold what
/// ClickHouse has that the last full one has not. The log keeps what a replay after the newest backup needs.
/// </summary>
internal sealed partial class NodeBackup : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _data;
    private readonly ClickHouseStore _store;
    private readonly RetainedLog _log;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeBackup> _logger;
    private readonly SemaphoreSlim _one = new(1);

    public NodeBackup(string data, ClickHouseStore store, RetainedLog log, TimeProvider time, ILogger<NodeBackup> logger)
    {
        _data = data;
        _store = store;
        _log = log;
        _time = time;
        _logger = logger;
        log.HasBackup = File.Exists(LastFile) && File.ReadAllText(LastFile) == Last(log.AnchorPosition);
    }

    private string EngineFolder => Path.Combine(_data, EngineSnapshot.Folder);

    // The engine inside confines itself to its folder: it writes backups here, and they are moved from here.
    private string Staging => Path.Combine(_data, BackupManifest.ClickHouseFolder, EmbeddedClickHouseOptions.BackupsFolder);

    private string LastFile => Path.Combine(EngineFolder, "backup-anchor");

    /// <summary>Makes a backup.</summary>
    /// <param name="folder">The folder of backups, absolute.</param>
    /// <param name="full">A full one; an incremental one where there is a full one of this node, else.</param>
    /// <param name="keep">How many stay.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ProblemException">Another is being made, or the node can't write there.</exception>
    public async Task<BackupAnswer> RunAsync(string folder, bool full, int keep, CancellationToken cancellationToken)
    {
        if (!await _one.WaitAsync(0, cancellationToken).ConfigureAwait(false))
            throw new ProblemException(Problem.Of(409, "backup-running", "A backup is being made", "backup", "begun while another runs", "one at a time"));
        try
        {
            long started = _time.GetTimestamp();
            Directory.CreateDirectory(folder);
            BackupManifest made = await MakeAsync(folder, full, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<string> gone = BackupFolder.Prune(folder, keep);
            BackupAnswer answer = new(made.Name, folder, made.IsFull, made.Base, made.Position, made.LogEnd, made.Files, made.Bytes, Math.Round(_time.GetElapsedTime(started).TotalSeconds, 3), gone);
            LogMade(answer.Name, answer.Directory, answer.Position, answer.Bytes, answer.Seconds);
            return answer;
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or (IOException and not CheckpointStoreException))
        {
            throw new ProblemException(Problem.Of(400, "backup-failed", "No backup", "directory", $"{folder} ({failure.Message})", "a folder that the node can write, on a disk with room"));
        }
        catch (CheckpointStoreException failure)
        {
            throw new ProblemException(Problem.Of(503, "backup-failed", "No backup", "clickhouse", failure.Message, "a retry in a few seconds") with { RetryAfterSeconds = 5 });
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<BackupManifest> MakeAsync(string folder, bool full, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _time.GetUtcNow();
        string incarnation = _log.Identity.Incarnation.ToString("x16", CultureInfo.InvariantCulture);
        BackupManifest? basis = full ? null : BackupFolder.List(folder).LastOrDefault(m => m.IsFull && m.Incarnation == incarnation && File.Exists(Path.Combine(Staging, m.Name, ".backup")));
        string name = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture) + (basis is null ? "-full" : "-incremental");
        string partial = Path.Combine(folder, name + BackupFolder.PartialExtension);
        string engine = Path.Combine(partial, BackupManifest.EngineFolder);
        Directory.CreateDirectory(engine);

        StorePause pause = await PauseAsync(cancellationToken).ConfigureAwait(false);
        long anchor;
        try
        {
            anchor = await _log.AnchorForBackupAsync(path => CopySnapshot(path, engine), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            pause.Dispose();
            throw;
        }

        await _store.BackupAsync(name, basis?.Name, pause, cancellationToken).ConfigureAwait(false);
        TakeStaged(name, Path.Combine(partial, BackupManifest.ClickHouseFolder), keepsBase: basis is null);
        File.Copy(Path.Combine(EngineFolder, EngineSnapshot.SecretFile), Path.Combine(engine, EngineSnapshot.SecretFile));
        long end = CopyLog(anchor, Path.Combine(partial, BackupManifest.LogFolder), cancellationToken);
        (long files, long bytes) = BackupFolder.Sync(partial);
        BackupManifest manifest = new(
            BackupManifest.CurrentVersion, name, basis is null, basis?.Name, now, incarnation, _log.Identity.Number, pause.Position, anchor, end, files, bytes, Product.Version);
        manifest.Write(partial);
        BackupFolder.Sync(partial);
        Directory.Move(partial, Path.Combine(folder, name));
        new LinuxDisk().SyncFolder(folder);
        await File.WriteAllTextAsync(LastFile, Last(anchor), cancellationToken).ConfigureAwait(false);
        _log.HasBackup = true;
        return manifest;
    }

    private static string Last(long anchor) => anchor.ToString(CultureInfo.InvariantCulture);

    private static void CopySnapshot(string? path, string into)
    {
        if (path is not null)
            File.Copy(path, Path.Combine(into, EngineSnapshot.Newest));
    }

    private async Task<StorePause> PauseAsync(CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        while (true)
        {
            try
            {
                return await _store.PauseAsync(_log.Identity, cancellationToken).ConfigureAwait(false);
            }
            catch (CheckpointStoreException) when (_time.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    // Of a full backup its list of files stays: that is all that an incremental one is made from.
    private void TakeStaged(string name, string into, bool keepsBase)
    {
        string staged = Path.Combine(Staging, name);
        BackupFolder.Copy(staged, into, _ => { }, CancellationToken.None);
        foreach (string old in Directory.GetDirectories(Staging).Where(d => keepsBase || Path.GetFileName(d) == name))
            Directory.Delete(old, recursive: true);
        if (keepsBase)
        {
            Directory.CreateDirectory(staged);
            File.Copy(Path.Combine(into, ".backup"), Path.Combine(staged, ".backup"));
        }
    }

    /// <summary>Copies the segments that hold anything after a position, as far as they are written; the last position in them.</summary>
    private long CopyLog(long after, string into, CancellationToken cancellationToken)
    {
        string log = Path.Combine(_data, NodeParts.LogFolder);
        LogInspection found = LogInspector.Inspect(log, new LinuxDisk(), null, cancellationToken) ?? throw new IOException($"{log} holds no log");
        if (found.Damage is { } damage)
            throw new IOException($"the log is damaged: {damage.File}, offset {damage.Offset}, position {damage.Position}: {damage.Reason}");
        Directory.CreateDirectory(into);
        SegmentInspection[] needed = [.. found.Segments.Where((s, i) => i == found.Segments.Count - 1 || s.First + s.Records - 1 > after)];
        foreach (SegmentInspection segment in needed)
            BackupFolder.CopyStart(Path.Combine(log, segment.File), Path.Combine(into, segment.File), segment.Bytes);
        return needed[^1].First + needed[^1].Records - 1;
    }

    [LoggerMessage(LogLevel.Information, "Backup {Name} in {Folder}: exact up to position {Position}, {Bytes} bytes, {Seconds} s")]
    private partial void LogMade(string name, string folder, long position, long bytes, double seconds);
}
