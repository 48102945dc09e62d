namespace Sketch.Engine.Tables;

/// <summary>
/// Sorts rows by id: radix by the upper half, a byte a pass from the least, then the few whose upper halves are equal by comparing. Ids are hashes: among millions of them few
/// such pairs are to be expected.
/// </summary>
internal sealed class IdSort
{
    private const int SmallEnoughToCompare = 2_048;
    private const int FirstShift = 32;
    private const int Passes = 4;
    private const int Buckets = 256;

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

        Span<ulong> otherIds = _ids.AsSpan(0, ids.Length);
        Span<long> otherValues = _values.AsSpan(0, ids.Length);
        Span<int> next = stackalloc int[Passes * Buckets];
        Count(ids, next);

        // An even number of passes: the last one writes into the arrays that were given.
        for (int pass = 0; pass < Passes; pass += 2)
        {
            Pass(ids, values, otherIds, otherValues, FirstShift + (pass * 8), next.Slice(pass * Buckets, Buckets));
            Pass(otherIds, otherValues, ids, values, FirstShift + (pass * 8) + 8, next.Slice((pass + 1) * Buckets, Buckets));
        }

        SortEquals(ids, values);
    }

    // Where each bucket of each pass begins, from one look at the ids.
    private static void Count(ReadOnlySpan<ulong> ids, Span<int> next)
    {
        next.Clear();
        foreach (ulong id in ids)
        {
            for (int pass = 0; pass < Passes; pass++)
            {
                next[(pass * Buckets) + (byte)(id >> (FirstShift + (pass * 8)))]++;
            }
        }

        for (int pass = 0; pass < Passes; pass++)
        {
            int start = 0;
            foreach (ref int count in next.Slice(pass * Buckets, Buckets))
            {
                (count, start) = (start, start + count);
            }
        }
    }

    private static void Pass(ReadOnlySpan<ulong> fromIds, ReadOnlySpan<long> fromValues, Span<ulong> toIds, Span<long> toValues, int shift, Span<int> next)
    {
        for (int i = 0; i < fromIds.Length; i++)
        {
            int to = next[(byte)(fromIds[i] >> shift)]++;
            toIds[to] = fromIds[i];
            toValues[to] = fromValues[i];
        }
    }

    // Names can be made to have ids with equal upper halves, so that these may be many.
    private static void SortEquals(ulong[] ids, long[] values)
    {
        for (int from = 0, to; from < ids.Length; from = to)
        {
            ulong upper = ids[from] >> FirstShift;
            bool isSorted = true;
            for (to = from + 1; to < ids.Length && ids[to] >> FirstShift == upper; to++)
            {
                isSorted &= ids[to] >= ids[to - 1];
            }

            if (!isSorted)
            {
                Array.Sort(ids, values, from, to - from);
            }
        }
    }
}
