using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sketch.Engine.Tables;

/// <summary>
/// Exact sums by id: open addressing, 16 bytes a slot, at most three quarters full. One writer; readers take no lock and see, of each id, a sum that was right at some
/// moment during the read.
/// </summary>
internal sealed class DeltaTable
{
    private const int LeastSlots = 512;

    private readonly IdSort _sort = new();
    private IdLines _lines = new(LeastSlots);
    private int _count;

    /// <summary>How many ids there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Memory, in bytes.</summary>
    public long MemoryBytes => _lines.MemoryBytes;

    /// <summary>The writer adds to sums.</summary>
    /// <param name="ids">Any ids but zero; an id may come several times.</param>
    /// <param name="deltas">What to add, one for each id.</param>
    /// <typeparam name="T">Of a delta: <see cref="long"/>, or <see cref="uint"/> of a narrow column.</typeparam>
    public void Add<T>(ReadOnlySpan<ulong> ids, ReadOnlySpan<T> deltas)
        where T : unmanaged, IBinaryInteger<T>
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(deltas.Length, ids.Length);
        for (int count; !ids.IsEmpty; ids = ids[count..], deltas = deltas[count..])
        {
            count = RoomFor(ids.Length);
            IdSearch.Each(ids[..count], new Adding<T>(this, deltas));
            GC.KeepAlive(_lines);
        }
    }

    /// <summary>The writer adds to sums, and learns what they are.</summary>
    /// <param name="ids">Any ids but zero; an id may come several times.</param>
    /// <param name="deltas">What to add, one for each id.</param>
    /// <param name="sums">Gets the sum of each right after its delta.</param>
    public void Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, Span<long> sums)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(deltas.Length, ids.Length);
        for (int count; !ids.IsEmpty; ids = ids[count..], deltas = deltas[count..], sums = sums[count..])
        {
            count = RoomFor(ids.Length);
            IdSearch.Each(ids[..count], new Summing(new Adding<long>(this, deltas), sums));
            GC.KeepAlive(_lines);
        }
    }

    /// <summary>An id's sum; false when it has none.</summary>
    public bool TryGet(ulong id, out long delta)
    {
        IdLines lines = Volatile.Read(ref _lines);
        int at = lines.Find(id, IdHome.In(lines.Lines).Of(id));
        delta = at < 0 ? 0 : Volatile.Read(ref lines.Number(at));
        return at >= 0;
    }

    /// <summary>All ids in ascending order with their sums; for the writer's thread.</summary>
    public (ulong[] Ids, long[] Deltas) Sorted()
    {
        ulong[] ids = GC.AllocateUninitializedArray<ulong>(_count);
        long[] deltas = GC.AllocateUninitializedArray<long>(_count);
        int count = 0;
        for (int at = 0; at < _lines.Slots; at++)
        {
            if (_lines.Id(at) is not 0 and ulong id)
            {
                ids[count] = id;
                deltas[count++] = _lines.Number(at);
            }
        }

        _sort.Sort(ids, deltas);
        return (ids, deltas);
    }

    /// <summary>Empties the table for the next use; no reader may hold it. It keeps its size while that is of use.</summary>
    public void Clear()
    {
        if (_count * 16L < _lines.Slots && _lines.Slots > LeastSlots)
        {
            _lines = new IdLines(Math.Max(LeastSlots, _count * 4));
        }
        else
        {
            _lines.Clear();
        }

        _count = 0;
    }

    // It grows between searches, so none is for more ids than there is room for, should all be new; nor for a few at a time because a large table is nearly full.
    private int RoomFor(int ids)
    {
        while (true)
        {
            int room = (int)(_lines.Slots * 3L / 4) - _count;
            if (room >= Math.Min(ids, _lines.Slots / 8))
            {
                return Math.Min(ids, room);
            }

            Grow();
        }
    }

    private void Grow()
    {
        IdLines into = new(checked(_lines.Slots * 2));
        IdHome home = IdHome.In(into.Lines);
        for (int at = 0; at < _lines.Slots; at++)
        {
            if (_lines.Id(at) is not 0 and ulong id)
            {
                into.Fill(~into.Find(id, home.Of(id)), id, _lines.Number(at));
            }
        }

        Volatile.Write(ref _lines, into);
    }

    private readonly unsafe ref struct Adding<T>(DeltaTable table, ReadOnlySpan<T> deltas) : IIdTable
        where T : unmanaged, IBinaryInteger<T>
    {
        private readonly ref T _deltas = ref MemoryMarshal.GetReference(deltas);
        private readonly IdHome _home = IdHome.In(table._lines.Lines);
        private readonly ulong* _origin = table._lines.Origin;

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong* Home(ulong id) => IdLines.Ask(_origin, _home.Of(id));

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong* After(ulong id, ulong* line) => table._lines.AskAfter(line);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Found(int index, ulong* slot)
        {
            ref long sum = ref IdLines.NumberAt((nint)slot);
            Volatile.Write(ref sum, sum + long.CreateTruncating(Unsafe.Add(ref _deltas, index)));
        }

        /// <inheritdoc/>
        public void Missing(int index, ulong id, ulong* slot)
        {
            IdLines.FillAt(slot, id, long.CreateTruncating(Unsafe.Add(ref _deltas, index)));
            Volatile.Write(ref table._count, table._count + 1);
        }
    }

    private readonly unsafe ref struct Summing(Adding<long> adding, Span<long> sums) : IIdTable
    {
        private readonly Adding<long> _adding = adding;
        private readonly Span<long> _sums = sums;

        /// <inheritdoc/>
        public ulong* Home(ulong id) => _adding.Home(id);

        /// <inheritdoc/>
        public ulong* After(ulong id, ulong* line) => _adding.After(id, line);

        /// <inheritdoc/>
        public void Found(int index, ulong* slot)
        {
            _adding.Found(index, slot);
            _sums[index] = IdLines.NumberAt((nint)slot);
        }

        /// <inheritdoc/>
        public void Missing(int index, ulong id, ulong* slot)
        {
            _adding.Missing(index, id, slot);
            _sums[index] = IdLines.NumberAt((nint)slot);
        }
    }
}
