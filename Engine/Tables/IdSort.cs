namespace Sketch.Engine.Tables;

/// <summary>Sorts rows by id. Radix, a byte a pass from the least: linear however the ids lie, and several times faster than comparing.</summary>
internal static class IdSort
{
    private const int SmallEnoughToCompare = 2_048;

    /// <summary>Sorts ids ascending, and the values with them.</summary>
    public static void Sort(ulong[] ids, long[] values)
    {
        if (ids.Length <= SmallEnoughToCompare)
        {
            Array.Sort(ids, values);
            return;
        }

        ulong[] otherIds = GC.AllocateUninitializedArray<ulong>(ids.Length);
        long[] otherValues = GC.AllocateUninitializedArray<long>(ids.Length);
        // An even number of passes: the last one writes into the arrays that were given.
        for (int shift = 0; shift < 64; shift += 16)
        {
            Pass(ids, values, otherIds, otherValues, shift);
            Pass(otherIds, otherValues, ids, values, shift + 8);
        }
    }

    private static void Pass(ulong[] fromIds, long[] fromValues, ulong[] toIds, long[] toValues, int shift)
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
