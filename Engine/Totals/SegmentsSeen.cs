using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
    public void FindWithTotals(ReadOnlySpan<ulong> ids, Span<nint> slots) => IdSearch.Each(ids, new Slots(new Homes(_segments, _mixer), slots[..ids.Length]));

    /// <summary>Finds what is known of ids.</summary>
    /// <param name="ids">None is zero, or what it gets means nothing.</param>
    /// <param name="references">Gets what <see cref="Catalogue.NameEntry"/> calls the reference of each id, or zero.</param>
    public void Find(ReadOnlySpan<ulong> ids, Span<long> references) => IdSearch.Each(ids, new References(new Homes(_segments, _mixer), references[..ids.Length]));

    /// <summary>Addresses are of no use from here on: a segment that was replaced meanwhile may go.</summary>
    public void Dispose() => GC.KeepAlive(_segments);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TableSegment OfMixed(TableSegment[] segments, ulong mixed) =>
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(segments), (nuint)(mixed >> (64 - CounterTable.SegmentBits)));

    private readonly struct Homes(TableSegment[] segments, IdMixer mixer)
    {
        /// <summary>Asks for an id's home, and says which segment that is in.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong* Ask(ulong id, out TableSegment segment)
        {
            ulong mixed = mixer.Mix(id);
            segment = OfMixed(segments, mixed);
            return IdLines.Ask(segment.Origin, segment.Home(mixed));
        }

        /// <summary>Asks for the line after another where an id is looked for, around its segment's end.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong* AskAfter(ulong id, ulong* line, out TableSegment segment)
        {
            segment = OfMixed(segments, mixer.Mix(id));
            return segment.AskAfter(line);
        }
    }

    private readonly ref struct Slots(Homes homes, Span<nint> slots) : IIdTable
    {
        private readonly Homes _homes = homes;
        private readonly ref nint _slots = ref MemoryMarshal.GetReference(slots);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong* Home(ulong id)
        {
            ulong* line = _homes.Ask(id, out TableSegment segment);
            segment.AskTotals(line);
            return line;
        }

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong* After(ulong id, ulong* line)
        {
            line = _homes.AskAfter(id, line, out TableSegment segment);
            segment.AskTotals(line);
            return line;
        }

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Found(int index, ulong* slot) => Unsafe.Add(ref _slots, index) = (nint)slot;

        /// <inheritdoc/>
        public void Missing(int index, ulong id, ulong* slot) => Unsafe.Add(ref _slots, index) = Nowhere;
    }

    private readonly ref struct References(Homes homes, Span<long> references) : IIdTable
    {
        private readonly Homes _homes = homes;
        private readonly ref long _references = ref MemoryMarshal.GetReference(references);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong* Home(ulong id) => _homes.Ask(id, out _);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong* After(ulong id, ulong* line) => _homes.AskAfter(id, line, out _);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Found(int index, ulong* slot) => Unsafe.Add(ref _references, index) = Volatile.Read(ref IdLines.NumberAt((nint)slot));

        /// <inheritdoc/>
        public void Missing(int index, ulong id, ulong* slot) => Unsafe.Add(ref _references, index) = 0;
    }
}
