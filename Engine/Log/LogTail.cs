namespace Sketch.Engine.Log;

/// <summary>Where writing goes on.</summary>
/// <param name="Segment">The last segment.</param>
/// <param name="File">It, open.</param>
/// <param name="Reserved">Up to where its space is reserved.</param>
/// <param name="LeftOver">Up to where bytes of earlier records lie in the file; zero for none.</param>
/// <param name="TimeMs">The last record's log time.</param>
internal sealed record LogTail(Segment Segment, ILogFile File, long Reserved, long LeftOver, long TimeMs);

/// <summary>What recovery cut off the end of the log: a group that was being written when the power or the process went.</summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">Where it ends now.</param>
/// <param name="Bytes">How many bytes were cut.</param>
/// <param name="Position">The position that the next record gets.</param>
public sealed record LogCut(string Path, long Offset, long Bytes, long Position);
