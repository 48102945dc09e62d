namespace Sketch.Sketches;

/// <summary>
/// Ertl's corrected raw estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017): no tables, no
/// switch between estimators, no bump at 2.5 m.
/// <code>n = m^2 / (2 ln 2 * (m sigma(c0/m) + sum over ranks r of c_r 2^-r + m tau(1 - c_last/m) 2^-(last - 1)))</code>
/// </summary>
internal static class CorrectedRawEstimator
{
    private static readonly double AlphaInfinity = 1 / (2 * Math.Log(2));

    /// <param name="histogram">Registers of each rank, from 0 to the largest that a register can hold.</param>
    public static double Estimate(ReadOnlySpan<int> histogram)
    {
        int last = histogram.Length - 1;
        long registers = 0;
        foreach (int count in histogram)
            registers += count;
        double m = registers;

        double sum = m * Tau(1 - histogram[last] / m);
        for (int rank = last - 1; rank >= 1; rank--)
            sum = 0.5 * (sum + histogram[rank]);
        sum += m * Sigma(histogram[0] / m);
        return AlphaInfinity * m * m / sum;
    }

    /// <summary>x + sum over k >= 1 of x^(2^k) 2^(k-1); infinite at 1.</summary>
    public static double Sigma(double x)
    {
        if (x == 1)
            return double.PositiveInfinity;
        double power = 1, sum = x, before;
        do
        {
            x *= x;
            before = sum;
            sum += x * power;
            power += power;
        }
        while (sum != before);
        return sum;
    }

    /// <summary>(1 - x - sum over k >= 1 of (1 - x^(2^-k))^2 2^-k) / 3.</summary>
    public static double Tau(double x)
    {
        if (x is 0 or 1)
            return 0;
        double power = 1, sum = 1 - x, before;
        do
        {
            x = Math.Sqrt(x);
            before = sum;
            power *= 0.5;
            sum -= (1 - x) * (1 - x) * power;
        }
        while (sum != before);
        return sum / 3;
    }
}
