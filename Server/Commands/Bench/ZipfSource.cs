namespace Sketch.Server.Commands.Bench;

/// <summary>
/// Draws ranks 1 to n with probability proportional to 1 / rank, by rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates
/// from monotone discrete distributions", 1996): constant time and memory however many ranks there are.
/// </summary>
internal sealed class ZipfSource(int ranks, Random random)
{
    // For the exponent 1 the integral of 1/x is the logarithm. The first rank is drawn exactly.
    private readonly double _low = Math.Log(1.5) - 1;
    private readonly double _high = Math.Log(ranks + 0.5);

    /// <summary>The next rank.</summary>
    public int Next()
    {
        while (true)
        {
            double at = _low + (random.NextDouble() * (_high - _low));
            double x = Math.Exp(at);
            int rank = Math.Clamp((int)(x + 0.5), 1, ranks);
            if (at >= Math.Log(rank + 0.5) - (1.0 / rank))
                return rank;
        }
    }
}
