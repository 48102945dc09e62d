namespace Sketch.Server.Backups;

/// <summary>A backup that was made.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Directory">Where it is.</param>
/// <param name="Full">False when it needs <paramref name="Base"/>.</param>
/// <param name="Base">The full one that it is the difference to.</param>
/// <param name="Position">Up to this position of the log it is exact.</param>
/// <param name="LogEnd">The last position in its copy of the log.</param>
/// <param name="Files">Files in it.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Deleted">Older ones that went.</param>
internal sealed record BackupAnswer(
    string Name, string Directory, bool Full, string? Base, long Position, long LogEnd, long Files, long Bytes, double Seconds, IReadOnlyList<string> Deleted);

/// <summary>What POST /v1/backups takes.</summary>
/// <param name="Directory">The folder of backups on the node's machine, absolute.</param>
/// <param name="Full">A full one; default false: the difference to the last full one, where there is one.</param>
/// <param name="Keep">How many stay, 1 to 1000; default 30.</param>
internal sealed record BackupBody(string Directory, bool? Full, int? Keep);
