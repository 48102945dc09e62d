using System.Runtime.CompilerServices;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Totals;

/// <summary>The segments of a table as they were at one moment, for looking up many ids. Names that come in meanwhile may be missed.</summary>
internal readonly unsafe ref struct SegmentsSeen
{
    /// <summary>No slot.</summary>
    public const nint Nowhere = 0;

    private readonly TableSegment[] _segments;
    private readonly IdMixer _mixer;

    /// <param name="segments">All of them; the array is never written to.</param>
    /// <param name="mixer">What mixes ids.</param>
    public SegmentsSeen(TableSegment[] segments, IdMixer mixer)
    {
        _segments = segments;
        _mixer = mixer;
    }

    /// <summary>The segment that an id is in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TableSegment Of(ulong id) => OfMixed(_segments, _mixer.Mix(id));

    /// <summary>Finds the slots of ids.</summary>
    /// <param name="ids">None is zero, or what it gets means nothing.</param>
    /// <param name="slots">Gets the address of each id's slot, or <see cref="Nowhere"/>; addresses are good until <see cref="Dispose"/>.</param>
    /// <param name="withTotals">Whether totals are wanted too.</param>
    public void Find(ReadOnlySpan<ulong> ids, Span<nint> slots, bool withTotals)
    {
        Search search = new(_segments, _mixer, slots, withTotals);
        IdSearch.Each(ids, ref search);
    }

    /// <summary>Addresses are of no use from here on: a segment that was replaced meanwhile may go.</summary>
    public void Dispose() => GC.KeepAlive(_segments);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TableSegment OfMixed(TableSegment[] segments, ulong mixed) => segments[mixed >> (64 - CounterTable.SegmentBits)];

    private readonly ref struct Search(TableSegment[] segments, IdMixer mixer, Span<nint> slots, bool withTotals) : IIdTable
    {
        private readonly Span<nint> _slots = slots;

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong* Home(ulong id)
        {
            ulong mixed = mixer.Mix(id);
            TableSegment segment = OfMixed(segments, mixed);
            return WithTotals(segment, segment.Ask(segment.Home(mixed)));
        }

        /// <inheritdoc/>
        public ulong* After(ulong id, ulong* line)
        {
            TableSegment segment = OfMixed(segments, mixer.Mix(id));
            return WithTotals(segment, segment.AskAfter(line));
        }

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Found(int index, ulong* slot) => _slots[index] = (nint)slot;

        /// <inheritdoc/>
        public void Missing(int index, ulong* slot) => _slots[index] = Nowhere;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private ulong* WithTotals(TableSegment segment, ulong* line)
        {
            if (withTotals)
            {
                segment.AskTotals(line);
            }

            return line;
        }
    }
}
