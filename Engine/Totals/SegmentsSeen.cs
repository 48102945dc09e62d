using System.Runtime.CompilerServices;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Totals;

/// <summary>
/// The segments of a table as they were at one moment, for looking up many ids: their cache lines are asked for before the first is looked at, so that the misses overlap. Names
/// that come in meanwhile may be missed.
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

    /// <summary>Finds the slots of ids.</summary>
    /// <param name="ids">At most <see cref="IdLines.Together"/>; none is zero, or what it gets means nothing.</param>
    /// <param name="mixer">What mixes them.</param>
    /// <param name="slots">Gets each id's slot in its segment; negative when it has none.</param>
    /// <param name="withTotals">Whether totals are wanted too.</param>
    public readonly void Find(ReadOnlySpan<ulong> ids, IdMixer mixer, Span<int> slots, bool withTotals)
    {
        // First each id's line, then its slot.
        for (int i = 0; i < slots.Length; i++)
        {
            ulong mixed = mixer.Mix(ids[i]);
            TableSegment segment = Of(mixed);
            slots[i] = segment.Home(mixed);
            segment.Prefetch(slots[i], withTotals);
        }

        Span<byte> later = stackalloc byte[IdLines.Together];
        int count = 0;
        for (int i = 0; i < slots.Length; i++)
        {
            TableSegment segment = Of(mixer.Mix(ids[i]));
            int at = segment.FindIn(ids[i], slots[i]);
            if (at == IdLines.Elsewhere)
            {
                later[count++] = (byte)i;
                at = segment.After(slots[i]);
                segment.Prefetch(at, withTotals);
            }

            slots[i] = at;
        }

        foreach (byte i in later[..count])
        {
            slots[i] = Of(mixer.Mix(ids[i])).Find(ids[i], slots[i]);
        }
    }

    [InlineArray(1 << CounterTable.SegmentBits)]
    private struct Segments
    {
        private TableSegment _first;
    }
}
