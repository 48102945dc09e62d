using System.Numerics;
using System.Runtime.InteropServices;
using Sketch.Engine.Elements;

namespace Sketch.Engine.Increments;

/// <summary>
/// A number that tells whether two batches say the same: a retry has the number of the first attempt, another batch most likely has not. It depends neither on the order of rows
/// nor on what the sender did not choose: tiers, columns, which names were new, which rows were joined. Never zero.
/// </summary>
internal static class BatchContents
{
    /// <summary>Of a batch of sums.</summary>
    public static uint Of(in IncrementPayload sums) => Fold(SumOf(sums));

    /// <summary>Of a batch with elements, its sums included.</summary>
    public static uint Of(in ElementPayload elements)
    {
        ulong sum = SumOf(elements.Sums);
        sum += Sum(elements.DistinctIds) * 3;
        sum += Sum(MemoryMarshal.Cast<UInt128, ulong>(elements.Hashes)) * 5;
        sum += Sum(elements.ItemIds) * 7;
        return Fold(sum);
    }

    private static ulong SumOf(in IncrementPayload sums) =>
        Sum(sums.ExactIds) + Sum(sums.ApproximateIds) + sums.JoinedIds + ((ulong)sums.Weight * 0x9E3779B97F4A7C15) + ((ulong)sums.Count << 40);

    private static ulong Sum(ReadOnlySpan<ulong> values)
    {
        Vector<ulong> sums = Vector<ulong>.Zero;
        ReadOnlySpan<Vector<ulong>> vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(values);
        foreach (Vector<ulong> vector in vectors)
        {
            sums += vector;
        }

        ulong sum = Vector.Sum(sums);
        foreach (ulong value in values[(vectors.Length * Vector<ulong>.Count)..])
        {
            sum += value;
        }

        return sum;
    }

    private static uint Fold(ulong sum)
    {
        sum = (sum ^ (sum >> 31)) * 0x7FB5D329728EA185;
        return Math.Max(1, (uint)(sum >> 32));
    }
}
