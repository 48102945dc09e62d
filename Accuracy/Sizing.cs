using MathNet.Numerics.Distributions;
using Sketch.Sketches;

namespace Sketch.Accuracy;

/// <summary>
/// From a wish to parameters and back. The figures hold before anything is counted, for a plain count-min sketch with independent
/// rows; what a live window really errs by is smaller under conservative update, and <see cref="GhostSample"/> reads it off.
/// </summary>
public static class Sizing
{
    private const int CellBytes = sizeof(uint) * CountMinSketch.Depth;
    private const int Step = 128;

    /// <summary>The smallest sketch that keeps a wish; if none within the memory does, the longest window of a second or more that does.</summary>
    /// <param name="wish">What is wanted and what is expected.</param>
    /// <exception cref="ArgumentException">A field of the wish is missing or out of range.</exception>
    public static SumPlan ForSums(SumWish wish)
    {
        ArgumentNullException.ThrowIfNull(wish);
        wish.Check();
        for (double seconds = wish.WindowSeconds; ; seconds = Math.Max(1, seconds / 2))
        {
            double weight = seconds * wish.IncrementsPerSecond * wish.MeanDelta;
            // A shorter window sees fewer ids, at least in proportion to its increments at the flat end of Zipf's law.
            double ids = Math.Max(1, Math.Min(wish.DistinctIds, seconds * wish.IncrementsPerSecond));
            long memory = Smallest(wish, weight, ids);
            bool fulfilled = ErrorAtMost(memory, weight, ids, wish.Confidence) <= wish.Allowed;
            if (fulfilled || seconds <= 1)
                return Plan(memory, seconds, weight, ids, wish.Confidence, fulfilled);
        }
    }

    /// <summary>The way back: what a sketch of this memory keeps, whatever error was wished for.</summary>
    /// <param name="memoryBytes">4 KiB to 1 GiB; rounded down to whole pairs of cache lines (128 bytes), as the sketch itself does.</param>
    /// <param name="expected">What is expected; its errors and its memory limit are not looked at.</param>
    /// <exception cref="ArgumentException">The memory, or a field of the expectation, is out of range.</exception>
    public static SumPlan OfMemory(long memoryBytes, SumWish expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        expected.CheckExpectation();
        if (memoryBytes is < CountMinSketch.MinMemoryBytes or > CountMinSketch.MaxMemoryBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(memoryBytes), memoryBytes,
                $"memoryBytes is {memoryBytes}; allowed {CountMinSketch.MinMemoryBytes} to {CountMinSketch.MaxMemoryBytes}");
        }

        double weight = expected.WindowSeconds * expected.IncrementsPerSecond * expected.MeanDelta;
        double ids = Math.Max(1, Math.Min(expected.DistinctIds, expected.WindowSeconds * expected.IncrementsPerSecond));
        return Plan(memoryBytes / Step * Step, expected.WindowSeconds, weight, ids, expected.Confidence, fulfilled: true);
    }

    /// <summary>
    /// The error at a confidence whatever the distribution: by Markov's inequality a row errs by more than t with probability below
    /// weight / (width t), so all four do with its fourth power; and where so few cells are taken that four taken ones are rarer
    /// than 1 - confidence, it is 0.
    /// </summary>
    /// <param name="memoryBytes">Of the sketch.</param>
    /// <param name="weight">The sum of all deltas in a window.</param>
    /// <param name="distinctIds">Distinct ids in a window.</param>
    /// <param name="confidence">In (0, 1).</param>
    public static double ErrorAtMost(long memoryBytes, double weight, double distinctIds, double confidence)
    {
        GhostBound.ThrowIfNoConfidence(confidence);
        double width = memoryBytes / CellBytes;
        double taken = Math.Pow(1 - Math.Exp(-distinctIds / width), CountMinSketch.Depth);
        return taken <= 1 - confidence ? 0 : weight / width * Math.Pow(1 - confidence, -1.0 / CountMinSketch.Depth);
    }

    /// <summary>The error at a confidence if all ids weigh the same: a cell holds a Poisson number of them.</summary>
    /// <inheritdoc cref="ErrorAtMost"/>
    public static double ErrorIfEven(long memoryBytes, double weight, double distinctIds, double confidence)
    {
        GhostBound.ThrowIfNoConfidence(confidence);
        double width = memoryBytes / CellBytes, mean = distinctIds / width;
        double rowTail = Math.Pow(1 - confidence, 1.0 / CountMinSketch.Depth);
        double ids;
        if (mean > 1_000)
        {
            ids = mean + Normal.InvCDF(0, 1, 1 - rowTail) * Math.Sqrt(mean);
        }
        else
        {
            Poisson poisson = new(mean);
            int quantile = 0;
            while (1 - poisson.CumulativeDistribution(quantile) > rowTail)
                quantile++;
            ids = quantile;
        }

        return Math.Min(ids * weight / distinctIds, ErrorAtMost(memoryBytes, weight, distinctIds, confidence));
    }

    /// <summary>The coarsest precision that keeps a wish for distinct counts.</summary>
    /// <param name="relativeError">In (0, 1).</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static DistinctPlan ForDistinct(double relativeError, double confidence)
    {
        if (!(relativeError is > 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(relativeError), relativeError, $"relativeError is {relativeError}; allowed between 0 and 1, both excluded");
        }

        double z = DistinctEstimate.NormalQuantile(confidence);
        int precision = HyperLogLog.MinPrecision;
        while (precision < HyperLogLog.MaxPrecision && z * HyperLogLog.StandardErrorOf(precision) > relativeError)
            precision++;
        double error = z * HyperLogLog.StandardErrorOf(precision);
        return new DistinctPlan(precision, HyperLogLog.StandardErrorOf(precision), error, confidence, error <= relativeError);
    }

    /// <summary>The way back: what a precision keeps.</summary>
    /// <param name="precision">4 to 18.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static DistinctPlan OfPrecision(int precision, double confidence)
    {
        if (precision is < HyperLogLog.MinPrecision or > HyperLogLog.MaxPrecision)
        {
            throw new ArgumentOutOfRangeException(
                nameof(precision), precision, $"precision is {precision}; allowed {HyperLogLog.MinPrecision} to {HyperLogLog.MaxPrecision}");
        }

        double error = HyperLogLog.StandardErrorOf(precision);
        return new DistinctPlan(precision, error, DistinctEstimate.NormalQuantile(confidence) * error, confidence, Fulfilled: true);
    }

    /// <summary>Entries for the k heaviest ids: enough that at Zipf 0.8 and steeper all k are found.</summary>
    /// <param name="k">1 to 100,000.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is out of range.</exception>
    public static int HeavyHitterCapacity(int k)
    {
        if (k is < 1 or > 100_000)
            throw new ArgumentOutOfRangeException(nameof(k), k, $"k is {k}; allowed 1 to 100000");
        return Math.Max(1_024, 40 * k);
    }

    private static SumPlan Plan(long memory, double seconds, double weight, double ids, double confidence, bool fulfilled) => new(
        memory,
        memory / CellBytes,
        CountMinSketch.Depth,
        seconds,
        weight,
        ErrorAtMost(memory, weight, ids, confidence),
        ErrorIfEven(memory, weight, ids, confidence),
        confidence,
        fulfilled);

    private static long Smallest(SumWish wish, double weight, double ids)
    {
        long low = CountMinSketch.MinMemoryBytes / Step, high = wish.MaxMemoryBytes / Step;
        while (low < high)
        {
            long middle = (low + high) / 2;
            if (ErrorAtMost(middle * Step, weight, ids, wish.Confidence) <= wish.Allowed)
                high = middle;
            else
                low = middle + 1;
        }

        return low * Step;
    }
}
