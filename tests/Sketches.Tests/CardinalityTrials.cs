using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

/// <summary>Bias and error of HyperLogLog over many trials, in units of its theoretical standard error s.</summary>
public sealed record CardinalityError(int Precision, long Elements, double Bias, double Rmse, double ExactShare)
{
    /// <summary>Adds real hashes, once a trial, and looks at every size on the way.</summary>
    public static CardinalityError[] ByAdding(int precision, long[] sizes, int trials, int seed)
    {
        double[] bias = new double[sizes.Length], square = new double[sizes.Length];
        int[] exact = new int[sizes.Length];
        ulong[] hashes = new ulong[8_192];
        for (int trial = 0; trial < trials; trial++)
        {
            HyperLogLog state = new(1, precision);
            ulong next = ((ulong)(uint)(seed * 100_003 + trial)) << 32;
            long added = 0;
            for (int g = 0; g < sizes.Length; g++)
            {
                while (added < sizes[g])
                {
                    int count = (int)Math.Min(hashes.Length, sizes[g] - added);
                    for (int i = 0; i < count; i++)
                        hashes[i] = Streams.Id(next++);
                    state.Add(hashes.AsSpan(0, count));
                    added += count;
                }

                Note(state, sizes[g], ref bias[g], ref square[g], ref exact[g]);
            }
        }

        return Collect(precision, sizes, trials, bias, square, exact);
    }

    /// <summary>
    /// Draws the registers themselves, for sizes that nobody wants to add one by one: with n / m elements a register on average, its
    /// largest rank is at most r with probability exp(-n / m 2^-r).
    /// </summary>
    public static CardinalityError[] ByDrawing(int precision, long[] sizes, int trials, int seed)
    {
        double[] bias = new double[sizes.Length], square = new double[sizes.Length];
        int[] exact = new int[sizes.Length];
        int registers = 1 << precision;
        uint[] indexes = [.. Enumerable.Range(0, registers).Select(i => (uint)i)];
        byte[] ranks = new byte[registers];
        Random random = new(seed);
        for (int trial = 0; trial < trials; trial++)
        {
            for (int g = 0; g < sizes.Length; g++)
            {
                double load = (double)sizes[g] / registers;
                for (int i = 0; i < registers; i++)
                    ranks[i] = (byte)Math.Clamp(Math.Ceiling(Math.Log2(load / -Math.Log(1 - random.NextDouble()))), 0, 63 - precision);
                Note(HyperLogLogSql.FromColumn(1, precision, indexes, ranks), sizes[g], ref bias[g], ref square[g], ref exact[g]);
            }
        }

        return Collect(precision, sizes, trials, bias, square, exact);
    }

    private static void Note(HyperLogLog state, long truth, ref double bias, ref double square, ref int exact)
    {
        double error = state.Estimate() / truth - 1;
        bias += error;
        square += error * error;
        exact += Math.Round(state.Estimate()) == truth ? 1 : 0;
    }

    private static CardinalityError[] Collect(int precision, long[] sizes, int trials, double[] bias, double[] square, int[] exact)
    {
        double s = HyperLogLog.StandardErrorOf(precision);
        return
        [
            .. sizes.Select((size, g) =>
                new CardinalityError(precision, size, bias[g] / trials / s, Math.Sqrt(square[g] / trials) / s, (double)exact[g] / trials)),
        ];
    }
}
