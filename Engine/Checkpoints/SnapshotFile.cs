using System.Buffers.Binary;
using System.Text.Json;
using Sketch.Engine.Log;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// Keeps the newest <see cref="Snapshot"/>: written beside, synced, renamed over the old one. Layout: magic "SKSNAP01" (8 bytes), length of the JSON (4),
/// its CRC32C (4), JSON.
/// </summary>
internal sealed class SnapshotFile(ILogDisk disk, string folder, string name = "snapshot")
{
    private const int HeaderBytes = 16;

    private readonly string _newName = name + ".new";

    private static ReadOnlySpan<byte> Magic => "SKSNAP01"u8;

    /// <summary>The newest snapshot; null when there is none yet.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or of another release.</exception>
    public Snapshot? Read()
    {
        disk.CreateFolder(folder);
        if (!disk.List(folder).Contains(name))
        {
            return null;
        }

        string path = Path.Combine(folder, name);
        using ILogFile file = disk.Open(path);
        byte[] bytes = new byte[file.Length];
        int read = file.Read(bytes, 0);
        ReadOnlySpan<byte> json = bytes.AsSpan(Math.Min(HeaderBytes, read));
        if (read < HeaderBytes || !bytes.AsSpan().StartsWith(Magic)
            || BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)) != json.Length
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12)) != Crc32C.Compute(json))
        {
            throw new InvalidDataException($"The snapshot {path} is damaged.");
        }

        Snapshot? snapshot = JsonSerializer.Deserialize(json, SnapshotJson.Default.Snapshot);
        return snapshot is { Version: >= Snapshot.OldestVersion and <= Snapshot.CurrentVersion }
            ? snapshot
            : throw new InvalidDataException(
                $"The snapshot {path} is of version {snapshot?.Version}; this release reads {Snapshot.OldestVersion} to {Snapshot.CurrentVersion}.");
    }

    /// <summary>Replaces the snapshot; when this returns, it survives a loss of power.</summary>
    public void Write(Snapshot snapshot)
    {
        string path = Path.Combine(folder, _newName);
        if (disk.List(folder).Contains(_newName))
        {
            disk.Delete(path);
        }

        using (ILogFile file = disk.Create(path))
        {
            SnapshotWriter writer = new(file, HeaderBytes);
            using (Utf8JsonWriter json = new(writer))
            {
                JsonSerializer.Serialize(json, snapshot, SnapshotJson.Default.Snapshot);
            }

            (int length, uint crc) = writer.Complete();
            Span<byte> header = stackalloc byte[HeaderBytes];
            Magic.CopyTo(header);
            BinaryPrimitives.WriteInt32LittleEndian(header[8..], length);
            BinaryPrimitives.WriteUInt32LittleEndian(header[12..], crc);
            file.Write(header, 0);
            file.Sync();
        }

        disk.Rename(path, Path.Combine(folder, name));
        disk.SyncFolder(folder);
    }
}
