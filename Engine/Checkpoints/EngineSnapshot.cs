using Sketch.Engine.Log;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// The engine's snapshots as files, for whoever keeps one: with a snapshot and the log after its position, every window since can be computed again. A kept
/// snapshot is a copy of the engine's own, whole or not there at all.
/// </summary>
public static class EngineSnapshot
{
    /// <summary>The engine's folder within a data folder.</summary>
    public const string Folder = "engine";

    /// <summary>The engine's own.</summary>
    public const string Newest = "snapshot";

    /// <summary>The deployment's secret beside it.</summary>
    public const string SecretFile = DeploymentSecret.FileName;

    /// <summary>The last position that a snapshot has taken in; zero when there is none.</summary>
    /// <param name="folder">The engine's folder.</param>
    /// <param name="name">The snapshot's file.</param>
    /// <exception cref="InvalidDataException">The file is damaged or of another release.</exception>
    public static long PositionOf(string folder, string name = Newest) => new SnapshotFile(new LinuxDisk(), folder, name).Read()?.Position ?? 0;

    /// <summary>Keeps a copy of the engine's newest snapshot under another name; its position, zero when there is none yet.</summary>
    /// <param name="folder">The engine's folder.</param>
    /// <param name="name">The copy's file.</param>
    public static long Keep(string folder, string name)
    {
        LinuxDisk disk = new();
        if (new SnapshotFile(disk, folder, Newest).Read() is not { } snapshot)
        {
            return 0;
        }

        new SnapshotFile(disk, folder, name).Write(snapshot);
        return snapshot.Position;
    }
}
