using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Engine.Log;
using Sketch.Server.Commands;
using Sketch.Server.Hosting;
using Sketch.Storage.Embedded;
using Sketch.Storage.Store;
using Sketch.Storage.Supervision;

namespace Sketch.Server.Backups;

/// <summary>
/// Puts a backup into a data folder that no node has open. ClickHouse is restored beside what is there and takes its place at the end, so that a restore that breaks off
/// changes nothing. A log of the same incarnation stays: the node replays it, and is exact up to its last record.
/// </summary>
internal sealed class RestoreRun(string backups, BackupManifest manifest, string data, bool overwrite, TimeProvider time)
{
    private const string Fresh = "clickhouse.restoring";

    /// <summary>What was put aside.</summary>
    public List<string> PutAside { get; } = [];

    /// <summary>True when the log of the folder stays and is replayed.</summary>
    public bool KeepsLog { get; private set; }

    /// <summary>The last position that the node will replay.</summary>
    public long LogEnd { get; private set; }

    /// <summary>Restores.</summary>
    /// <param name="progress">Told what is done of what: bytes copied, then bytes read by ClickHouse.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CommandException">The folder holds data, or the log does not fit.</exception>
    public async Task RunAsync(Action<string, long, long> progress, CancellationToken cancellationToken)
    {
        using DataFolder folder = DataFolder.Open(data);
        string fresh = Path.Combine(data, Fresh);
        if (Directory.Exists(fresh))
            Directory.Delete(fresh, recursive: true);
        RequireRoom();
        JudgeLog(cancellationToken);
        CopyBackups(fresh, progress, cancellationToken);
        await RestoreClickHouseAsync(fresh, progress, cancellationToken).ConfigureAwait(false);
        Place(fresh, cancellationToken);
    }

    private void RequireRoom()
    {
        string[] held = [.. new[] { BackupManifest.ClickHouseFolder, BackupManifest.EngineFolder }.Where(f => Directory.Exists(Path.Combine(data, f)))];
        if (held.Length > 0 && !overwrite)
        {
            throw new CommandException(
                $"--data is {data}, which holds {string.Join(" and ", held)}; allowed: a folder without them, or --overwrite, which puts them aside", ExitCode.Usage);
        }
    }

    // The node's own log is newer than the backup's copy: it is used if it goes back to where the replay begins.
    private void JudgeLog(CancellationToken cancellationToken)
    {
        string log = Path.Combine(data, BackupManifest.LogFolder);
        LogEnd = manifest.LogEnd;
        LogInspection? found = Directory.Exists(log) ? LogInspector.Inspect(log, new LinuxDisk(), null, cancellationToken) : null;
        if (found is null || found.Segments.Count == 0)
            return;
        string incarnation = found.Identity.Incarnation.ToString("x16", CultureInfo.InvariantCulture);
        string? why = found switch
        {
            _ when incarnation != manifest.Incarnation => $"is of incarnation {incarnation}, the backup of {manifest.Incarnation}",
            { Damage: { } damage } => $"is damaged: {damage.File}, offset {damage.Offset}, position {damage.Position}: {damage.Reason}",
            _ when found.Segments[0].First > manifest.SnapshotPosition + 1 => $"begins at position {found.Segments[0].First}, the replay after the backup at {manifest.SnapshotPosition + 1}",
            _ when found.Segments[^1].First + found.Segments[^1].Records - 1 < manifest.Position => "ends before the backup",
            _ => null,
        };
        KeepsLog = why is null;
        if (KeepsLog)
            LogEnd = found.Segments[^1].First + found.Segments[^1].Records - 1;
        else if (!overwrite)
            throw new CommandException($"the log in {log} {why}; allowed: a folder without a log, which gets the backup's copy, or --overwrite, which puts it aside", ExitCode.Usage);
    }

    private void CopyBackups(string fresh, Action<string, long, long> progress, CancellationToken cancellationToken)
    {
        string staging = Path.Combine(fresh, EmbeddedClickHouseOptions.BackupsFolder);
        string[] names = manifest.Base is null ? [manifest.Name] : [manifest.Base, manifest.Name];
        string From(string name) => Path.Combine(backups, name, BackupManifest.ClickHouseFolder);
        long bytes = names.Sum(n => new DirectoryInfo(From(n)).EnumerateFiles("*", SearchOption.AllDirectories).Sum(f => f.Length));
        long copied = 0;
        foreach (string name in names)
            BackupFolder.Copy(From(name), Path.Combine(staging, name), done => progress("copy", copied += done, bytes), cancellationToken);
    }

    private async Task RestoreClickHouseAsync(string fresh, Action<string, long, long> progress, CancellationToken cancellationToken)
    {
        ClickHouseProcessOptions options = new()
        {
            Command = [.. NodeParts.Self(), NodeParts.ClickHouseCommand],
            ClickHouse = new EmbeddedClickHouseOptions { DataFolder = fresh },
        };
        ClickHouseProcess process = await ClickHouseProcess.StartAsync(options, NullLogger<ClickHouseProcess>.Instance, time, cancellationToken).ConfigureAwait(false);
        await using (process.ConfigureAwait(false))
        {
            await ClickHouseStore.RestoreAsync(
                ClickHouseStoreOptions.For(process), manifest.Name, p => progress("restore", p.FilesDone, Math.Max(1, p.Files)), NullLogger<ClickHouseStore>.Instance, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Place(string fresh, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        KeepOnlyBase(Path.Combine(fresh, EmbeddedClickHouseOptions.BackupsFolder));
        BackupFolder.Sync(fresh);
        string from = Path.Combine(backups, manifest.Name);
        SetAside(BackupManifest.EngineFolder);
        BackupFolder.Copy(Path.Combine(from, BackupManifest.EngineFolder), Path.Combine(data, BackupManifest.EngineFolder), _ => { }, CancellationToken.None);
        BackupFolder.Sync(Path.Combine(data, BackupManifest.EngineFolder));
        if (!KeepsLog)
        {
            SetAside(BackupManifest.LogFolder);
            BackupFolder.Copy(Path.Combine(from, BackupManifest.LogFolder), Path.Combine(data, BackupManifest.LogFolder), _ => { }, CancellationToken.None);
            BackupFolder.Sync(Path.Combine(data, BackupManifest.LogFolder));
        }

        // Last: a node that starts on a folder without ClickHouse, but with a snapshot, refuses to.
        SetAside(BackupManifest.ClickHouseFolder);
        Directory.Move(fresh, Path.Combine(data, BackupManifest.ClickHouseFolder));
        new LinuxDisk().SyncFolder(data);
    }

    // Incremental backups go on from the same full one.
    private void KeepOnlyBase(string staging)
    {
        string basis = manifest.Base ?? manifest.Name;
        string list = Path.Combine(staging, basis, ".backup");
        byte[] kept = File.ReadAllBytes(list);
        Directory.Delete(staging, recursive: true);
        Directory.CreateDirectory(Path.GetDirectoryName(list)!);
        File.WriteAllBytes(list, kept);
    }

    private void SetAside(string name)
    {
        string path = Path.Combine(data, name);
        if (!Directory.Exists(path))
            return;
        string aside = $"{path}.before-{time.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture)}";
        Directory.Move(path, aside);
        PutAside.Add(aside);
    }
}
