using System.Globalization;

namespace Sketch.Engine.Log;

/// <summary>One segment file as known in memory; guarded by the gate of its <see cref="SegmentChain"/>.</summary>
/// <param name="path">The file.</param>
/// <param name="header">What its first bytes say.</param>
/// <param name="end">Where the readable bytes end.</param>
/// <param name="next">The position after the last readable record.</param>
internal sealed class Segment(string path, SegmentHeader header, long end, long next)
{
    internal const string Extension = ".seg";

    /// <summary>A segment in the making; one that is found at the start was never used.</summary>
    internal const string NewExtension = ".new";

    /// <summary>A segment that was let go, kept to be written over.</summary>
    internal const string SpareExtension = ".spare";

    /// <summary>A reader walks at most so far before it finds its position.</summary>
    internal const int IndexEveryBytes = 1 << 20;

    private readonly List<(long Position, long Offset)> _index = [(header.First, SegmentHeader.Bytes)];

    internal string Path => path;

    internal SegmentHeader Header => header;

    /// <summary>Where the readable bytes end.</summary>
    internal long End { get; set; } = end;

    /// <summary>The position after the last readable record.</summary>
    internal long Next { get; set; } = next;

    /// <summary>How many have the file open to read it.</summary>
    internal int Readers { get; set; }

    internal static string PathOf(string folder, long first) =>
        System.IO.Path.Combine(folder, first.ToString("x16", CultureInfo.InvariantCulture) + Extension);

    /// <summary>Remembers where a record lies, unless one nearby is known. Positions come in any order, offsets rise with them.</summary>
    internal void Index(long position, long offset)
    {
        int at = Before(position);
        bool far = offset - _index[at].Offset >= IndexEveryBytes && (at + 1 == _index.Count || _index[at + 1].Offset - offset >= IndexEveryBytes);
        if (far)
        {
            _index.Insert(at + 1, (position, offset));
        }
    }

    /// <summary>The nearest known record at or before a position.</summary>
    internal (long Position, long Offset) Nearest(long position) => _index[Before(position)];

    private int Before(long position)
    {
        int low = 0;
        int high = _index.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            if (_index[middle].Position <= position)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }
}
