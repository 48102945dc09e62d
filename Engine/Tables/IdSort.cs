namespace Sketch.Engine.Tables;

/// <summary>Sorts rows by id. Radix, a byte a pass from the least: linear however the ids lie, and several times faster than comparing.</summary>
internal sealed class IdSort
{
    private const int SmallEnoughToCompare = 2_048;

    // Kept for the next time: windows come in one size after the other, and fresh memory must be cleared page by page.
    private ulong[] _ids = [];
    private long[] _values = [];

    /// <summary>Sorts ids ascending, and the values with them.</summary>
    public void Sort(ulong[] ids, long[] values)
    {
        if (ids.Length <= SmallEnoughToCompare)
        {
            Array.Sort(ids, values);
            return;
        }

        if (_ids.Length < ids.Length)
        {
            _ids = GC.AllocateUninitializedArray<ulong>(ids.Length);
            _values = GC.AllocateUninitializedArray<long>(ids.Length);
        }

        // An even number of passes: the last one writes into the arrays that were given.
        for (int shift = 0; shift < 64; shift += 16)
        {
            Pass(ids, values, _ids.AsSpan(0, ids.Length), _values.AsSpan(0, ids.Length), shift);
            Pass(_ids.AsSpan(0, ids.Length), _values.AsSpan(0, ids.Length), ids, values, shift + 8);
        }
    }

    private static void Pass(ReadOnlySpan<ulong> fromIds, ReadOnlySpan<long> fromValues, Span<ulong> toIds, Span<long> toValues, int shift)
    {
        Span<int> next = stackalloc int[256];
        next.Clear();
        foreach (ulong id in fromIds)
        {
            next[(byte)(id >> shift)]++;
        }

        int start = 0;
        foreach (ref int count in next)
        {
            (count, start) = (start, start + count);
        }

        for (int i = 0; i < fromIds.Length; i++)
        {
            int to = next[(byte)(fromIds[i] >> shift)]++;
            toIds[to] = fromIds[i];
            toValues[to] = fromValues[i];
        }
    }
}
