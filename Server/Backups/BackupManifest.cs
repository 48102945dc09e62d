using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sketch.Server.Backups;

/// <summary>What a backup is; a folder is a backup only when this file is in it.</summary>
/// <param name="Version">Of this layout.</param>
/// <param name="Name">The backup's folder.</param>
/// <param name="IsFull">False when it needs <paramref name="Base"/>.</param>
/// <param name="Base">The full backup that it is the difference to.</param>
/// <param name="CreatedAt">When it was begun.</param>
/// <param name="Incarnation">The log's incarnation, 16 hexadecimal digits.</param>
/// <param name="LogNumber">The log's number.</param>
/// <param name="Position">Up to this position of the log ClickHouse's part is exact.</param>
/// <param name="SnapshotPosition">A replay begins after this position.</param>
/// <param name="LogEnd">The last position in the copy of the log.</param>
/// <param name="Files">Files in it.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Release">Of the node that made it.</param>
internal sealed record BackupManifest(
    int Version, string Name, bool IsFull, string? Base, DateTimeOffset CreatedAt, string Incarnation, int LogNumber, long Position, long SnapshotPosition, long LogEnd,
    long Files, long Bytes, string Release)
{
    /// <summary>The version written and read.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The file's name.</summary>
    public const string FileName = "backup.json";

    /// <summary>Parts of a backup, and of a data folder.</summary>
    public const string ClickHouseFolder = "clickhouse";

    /// <summary>The copy of the log.</summary>
    public const string LogFolder = "log";

    /// <summary>Snapshot and secret.</summary>
    public const string EngineFolder = "engine";

    /// <summary>Reads a backup's manifest; null when the folder is none.</summary>
    /// <exception cref="InvalidDataException">It can't be read, or another release made it.</exception>
    public static BackupManifest? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            BackupManifest? read = JsonSerializer.Deserialize(File.ReadAllBytes(path), BackupJson.Default.BackupManifest);
            return read is { Version: CurrentVersion } ? read : throw new InvalidDataException($"{path} is of version {read?.Version}; this release reads {CurrentVersion}");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{path} can't be read: {failure.Message}");
        }
    }

    /// <summary>Writes it.</summary>
    public void Write(string folder) => File.WriteAllBytes(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, BackupJson.Default.BackupManifest));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;
