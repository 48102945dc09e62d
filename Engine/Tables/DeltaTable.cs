using System.Numerics;
using System.Runtime.CompilerServices;

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
        for (int from = 0; from < ids.Length; from += IdLines.Together)
        {
            int count = Math.Min(IdLines.Together, ids.Length - from);
            AddTogether(ids.Slice(from, count), deltas.Slice(from, count));
        }
    }

    /// <summary>An id's sum; false when it has none.</summary>
    public bool TryGet(ulong id, out long delta)
    {
        IdLines lines = Volatile.Read(ref _lines);
        int at = lines.Find(id, IdHome.Of(id, lines.Lines));
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

    // All lines are asked for before the first is looked at, and those where nothing was found once more before the next, so that their misses overlap.
    private void AddTogether<T>(ReadOnlySpan<ulong> ids, ReadOnlySpan<T> deltas)
        where T : unmanaged, IBinaryInteger<T>
    {
        Span<int> places = stackalloc int[IdLines.Together];
        Span<byte> later = stackalloc byte[IdLines.Together];
        IdLines lines = _lines;
        for (int i = 0; i < ids.Length; i++)
        {
            places[i] = IdHome.Of(ids[i], lines.Lines);
            lines.Prefetch(places[i]);
        }

        int left = 0;
        for (int i = 0; i < ids.Length; i++)
        {
            int at = lines.FindIn(ids[i], places[i]);
            if (at >= 0)
            {
                AddAt(lines, at, long.CreateTruncating(deltas[i]));
                continue;
            }

            later[left++] = (byte)i;
            if (at == IdLines.Elsewhere)
            {
                places[i] = lines.After(places[i]);
                lines.Prefetch(places[i]);
            }
        }

        foreach (byte i in later[..left])
        {
            Add(ids[i], long.CreateTruncating(deltas[i]), lines, places[i]);
        }
    }

    // The table may have grown since, and the id may have come.
    private void Add(ulong id, long delta, IdLines looked, int line)
    {
        int at = _lines.Find(id, looked == _lines ? line : IdHome.Of(id, _lines.Lines));
        if (at >= 0)
        {
            AddAt(_lines, at, delta);
        }
        else
        {
            AddNew(id, delta, at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddAt(IdLines lines, int slot, long delta)
    {
        ref long sum = ref lines.Number(slot);
        Volatile.Write(ref sum, sum + delta);
    }

    private void AddNew(ulong id, long delta, int place)
    {
        if (_count * 4L >= _lines.Slots * 3L)
        {
            Grow();
            place = _lines.Find(id, IdHome.Of(id, _lines.Lines));
        }

        _lines.Fill(~place, id, delta);
        Volatile.Write(ref _count, _count + 1);
    }

    private void Grow()
    {
        IdLines into = new(checked(_lines.Slots * 2));
        for (int at = 0; at < _lines.Slots; at++)
        {
            if (_lines.Id(at) is not 0 and ulong id)
            {
                into.Fill(~into.Find(id, IdHome.Of(id, into.Lines)), id, _lines.Number(at));
            }
        }

        Volatile.Write(ref _lines, into);
    }
}
