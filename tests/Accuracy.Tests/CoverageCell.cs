using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Tests.Accuracy;

/// <summary>One cell of the coverage grid: a distribution of ids and of weights, so many windows, so many partitions.</summary>
public sealed record CoverageCell(string Ids, string Weights, int Windows, int Partitions)
{
    public static readonly string[] AllIds = ["zipf 0.8", "zipf 1.0", "zipf 1.2", "zipf 1.5", "uniform", "sequential", "flood"];
    public static readonly string[] AllWeights = ["unit", "lognormal", "signed"];

    public static IEnumerable<CoverageCell> Grid() =>
        from ids in AllIds
        from weights in AllWeights
        from windows in (int[])[1, 2, 3]
        from partitions in (int[])[1, 4]
        select new CoverageCell(ids, weights, windows, partitions);

    /// <summary>Fills sketches under stress and compares every id's bounds with the truth.</summary>
    /// <param name="increments">A window.</param>
    /// <param name="distinct">Ids that increments are drawn from.</param>
    /// <param name="memory">Of a window's sketch in a partition.</param>
    /// <param name="seed">Of ids, weights and keys.</param>
    public CoverageResult Run(int increments, int distinct, long memory, int seed)
    {
        byte[] secret = new byte[16];
        BitConverter.TryWriteBytes(secret, seed);
        SumSketch[] sketches = new SumSketch[Windows * Partitions];
        Dictionary<ulong, (long Sum, long Positive, int Times)> truth = [];
        for (int window = 0; window < Windows; window++)
        {
            ulong[] ids = DrawIds(increments, distinct, seed * 31 + window);
            uint[] sizes = Weights == "unit" ? Streams.Ones(increments) : Streams.Lognormal(increments, seed * 37 + window);
            Random signs = new(seed * 41 + window);
            for (int partition = 0; partition < Partitions; partition++)
            {
                SketchKey key = SketchKey.Derive(secret, "count-min", partition, window);
                sketches[window * Partitions + partition] = new SumSketch(memory, key, hotCapacity: 0);
            }

            for (int i = 0; i < increments; i++)
            {
                long delta = Weights == "signed" && signs.Next(5) == 0 ? -(long)sizes[i] : sizes[i];
                sketches[window * Partitions + PartitionOf(ids[i])].Add(ids[i], delta);
                ref (long Sum, long Positive, int Times) known =
                    ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(truth, ids[i], out _);
                known = (known.Sum + delta, known.Positive + Math.Max(0, delta), known.Times + 1);
            }
        }

        return Compare(sketches, truth, new SketchKey((ulong)seed, 99));
    }

    private CoverageResult Compare(SumSketch[] sketches, Dictionary<ulong, (long Sum, long Positive, int Times)> truth, SketchKey ghostKey)
    {
        // [0]: 95 %, [1]: 99 %, [2]: 95 % with the quantiles cut to a quarter of the median ghost.
        double[] confidences = [0.95, 0.99, 0.95];
        (long, long)[,] positive = new (long, long)[3, Partitions], negative = new (long, long)[3, Partitions];
        GhostSample ghosts = new(ghostKey, 4_096);
        for (int partition = 0; partition < Partitions; partition++)
        {
            for (int c = 0; c < 3; c++)
            {
                // Unsigned values need one side only.
                double side = Weights == "signed" ? GhostBound.Shared(confidences[c], 2) : confidences[c];
                positive[c, partition] = Error(ghosts, OfPartition(sketches, partition).Select(s => s.Positive), side, cut: c == 2);
                negative[c, partition] = Error(ghosts, OfPartition(sketches, partition).Select(s => s.Negative).OfType<CountMinSketch>(), side, c == 2);
            }
        }

        long heavy = truth.Values.Select(t => t.Sum).OrderDescending().ElementAt(999);
        int above = 0, count = 0, top = 0, once = 0;
        int[] all = new int[3], ofTop = new int[3], ofOnce = new int[3];
        List<long> errors = new(truth.Count);
        foreach ((ulong id, (long sum, _, int times)) in truth)
        {
            int partition = PartitionOf(id);
            long p = 0, n = 0;
            foreach (SumSketch sketch in OfPartition(sketches, partition))
            {
                SumParts parts = sketch.Read(id);
                p += parts.Positive;
                n += parts.Negative;
            }

            bool isTop = sum >= heavy, isOnce = times == 1;
            (count, top, once) = (count + 1, top + (isTop ? 1 : 0), once + (isOnce ? 1 : 0));
            errors.Add(Math.Abs(p - n - sum));
            for (int c = 0; c < 3; c++)
            {
                Estimate e = LiveEstimate.FromSigned(0, p, n, positive[c, partition], negative[c, partition], confidences[c]);
                bool covered = e.Lower <= sum && sum <= e.Upper;
                all[c] += covered ? 1 : 0;
                ofTop[c] += covered && isTop ? 1 : 0;
                ofOnce[c] += covered && isOnce ? 1 : 0;
                if (n == 0 && sum > e.Upper)
                    above++;
            }
        }

        errors.Sort();
        // A group of a few ids is no statistic: one of them would be more than the tenth of a percent that is asked about.
        double Share(int covered, int of) => of < 1_000 ? 1 : (double)covered / of;
        double mean = OfPartition(sketches, 0).Sum(s => (double)s.Positive.TotalWeight) / truth.Where(t => PartitionOf(t.Key) == 0).Sum(t => t.Value.Times);
        double textbook = Math.E * OfPartition(sketches, 0).Sum(s => (double)s.Positive.TotalWeight / s.Positive.Width);
        return new CoverageResult(
            this, above, Share(all[0], count), Share(all[1], count), Share(ofTop[0], top), Share(ofTop[1], top), Share(ofOnce[0], once),
            Share(ofOnce[1], once), Share(all[2], count), positive[0, 0].Item1, errors[(int)(0.95 * (errors.Count - 1))], textbook, mean);
    }

    private IEnumerable<SumSketch> OfPartition(SumSketch[] sketches, int partition) =>
        Enumerable.Range(0, Windows).Select(w => sketches[w * Partitions + partition]);

    private static (long, long) Error(GhostSample ghosts, IEnumerable<CountMinSketch> sketches, double confidence, bool cut)
    {
        ghosts.Evaluate([.. sketches]);
        return cut ? (ghosts.Median / 4, ghosts.Median / 4) : (ghosts.Quantile(confidence), ghosts.Median);
    }

    private int PartitionOf(ulong id) => (int)(Streams.Id(id ^ 0x5555) % (ulong)Partitions);

    private ulong[] DrawIds(int length, int distinct, int seed)
    {
        if (Ids.StartsWith("zipf", StringComparison.Ordinal))
            return Streams.Zipf(length, distinct, double.Parse(Ids[5..], System.Globalization.CultureInfo.InvariantCulture), seed);
        Random random = new(seed);
        ulong[] ids = Ids == "flood" ? Streams.Zipf(length, distinct / 10, 1.0, seed) : new ulong[length];
        for (int i = 0; i < length; i++)
        {
            ids[i] = Ids switch
            {
                "uniform" => Streams.Id((ulong)random.Next(distinct)),
                "sequential" => (ulong)(i % distinct),
                // Half of the increments come to ids that nobody saw before.
                _ => i % 2 == 0 ? ids[i] : Streams.Id(((ulong)seed << 32) + (ulong)i + (1ul << 62)),
            };
        }

        return ids;
    }
}

/// <summary>What a cell showed: shares of ids inside their bounds, and how wide those are.</summary>
public sealed record CoverageResult(
    CoverageCell Cell, int AboveUpper, double At95, double At99, double Top95, double Top99, double Once95, double Once99,
    double Cut, long Quantile95, long RealError95, double Textbook, double MeanDelta);
