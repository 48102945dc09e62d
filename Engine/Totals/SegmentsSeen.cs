using System.Runtime.CompilerServices;

namespace Sketch.Engine.Totals;

/// <summary>
/// The segments of a table as they were at one moment, for looking up many ids: their homes are computed once, and all their cache lines asked for before the first is looked
/// at, so that the misses overlap. Names that come in meanwhile may be missed.
/// </summary>
internal struct SegmentsSeen
{
    private Segments _segments;

    /// <summary>Looks at all of them.</summary>
    public SegmentsSeen(ReadOnlySpan<TableSegment> segments)
    {
        for (int i = 0; i < segments.Length; i++)
        {
            _segments[i] = Volatile.Read(in segments[i]);
        }
    }

    /// <summary>The segment that an id is in.</summary>
    /// <param name="mixed">The id, mixed.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TableSegment Of(ulong mixed) => _segments[(int)(mixed >> (64 - CounterTable.SegmentBits))];

    /// <summary>Finds the home lines of ids and asks for them.</summary>
    /// <param name="ids">Ids; as many as there are lines.</param>
    /// <param name="mixer">What mixes them.</param>
    /// <param name="lines">Gets each id's line in its segment.</param>
    /// <param name="withTotals">Whether totals are wanted too.</param>
    public readonly void Prefetch(ReadOnlySpan<ulong> ids, IdMixer mixer, Span<int> lines, bool withTotals)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            ulong mixed = mixer.Mix(ids[i]);
            TableSegment segment = Of(mixed);
            lines[i] = segment.Home(mixed);
            segment.Prefetch(lines[i], withTotals);
        }
    }

    [InlineArray(1 << CounterTable.SegmentBits)]
    private struct Segments
    {
        private TableSegment _first;
    }
}
