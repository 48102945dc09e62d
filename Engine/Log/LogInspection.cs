namespace Sketch.Engine.Log;

/// <summary>What a log's folder holds, as found by reading it.</summary>
/// <param name="Identity">Which log it is.</param>
/// <param name="Partitions">The deployment's number of partitions.</param>
/// <param name="Segments">Its files, oldest first.</param>
/// <param name="Kinds">Records by kind, over all segments.</param>
/// <param name="Spares">Files that wait to be written over.</param>
/// <param name="UnfinishedBytes">Bytes at the end that a start would cut off: a group that was being written when the process or the power went.</param>
/// <param name="Damage">The first bad place that is no unfinished end: file, offset and position; null for none.</param>
public sealed record LogInspection(
    LogIdentity Identity,
    int Partitions,
    IReadOnlyList<SegmentInspection> Segments,
    IReadOnlyList<KindInspection> Kinds,
    int Spares,
    long UnfinishedBytes,
    LogDamage? Damage);

/// <summary>One file of a log.</summary>
/// <param name="File">Its name.</param>
/// <param name="First">The first position.</param>
/// <param name="Records">Good records in it.</param>
/// <param name="Bytes">Their bytes, with the header.</param>
/// <param name="FirstTimeMs">Log time of the first record, milliseconds since 1970; zero for none.</param>
/// <param name="LastTimeMs">Log time of the last record.</param>
public sealed record SegmentInspection(string File, long First, long Records, long Bytes, long FirstTimeMs, long LastTimeMs);

/// <summary>The records of one kind.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Records">How many.</param>
/// <param name="Bytes">Their bytes, headers of records included.</param>
public sealed record KindInspection(RecordKind Kind, long Records, long Bytes);

/// <summary>The first bad place of a log.</summary>
/// <param name="File">The file.</param>
/// <param name="Offset">Where in it.</param>
/// <param name="Position">The position that should stand there; those before it are good.</param>
/// <param name="Reason">What is wrong.</param>
public sealed record LogDamage(string File, long Offset, long Position, string Reason);
