namespace Sketch.Sketches;

/// <summary>Quickselect with pivots that depend on the values alone (median of three): every replica takes the same steps.</summary>
internal static class Selection
{
    /// <summary>The value that would stand at <paramref name="rank"/> (from 0) if the values were sorted. Reorders them.</summary>
    public static long Smallest(Span<long> values, int rank)
    {
        int left = 0, right = values.Length - 1;
        for (int rounds = 0; left < right; rounds++)
        {
            // An adversary can make quickselect quadratic; after 64 rounds sorting the rest is cheaper than going on.
            if (rounds == 64)
            {
                values[left..(right + 1)].Sort();
                break;
            }

            long pivot = MedianOfThree(values[left], values[left + (right - left) / 2], values[right]);
            int i = left, j = right;
            while (i <= j)
            {
                while (values[i] < pivot) i++;
                while (values[j] > pivot) j--;
                if (i <= j)
                {
                    (values[i], values[j]) = (values[j], values[i]);
                    i++;
                    j--;
                }
            }

            if (rank <= j)
                right = j;
            else if (rank >= i)
                left = i;
            else
                break;
        }

        return values[rank];
    }

    private static long MedianOfThree(long a, long b, long c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
}
