using Sketch.Accuracy;
using Sketch.Sketches;
using Sketch.Tests.Accuracy;
using Sketch.Tests.Sketches;

namespace Sketch.Bench.Sketches.Grids;

/// <summary>The full grids of error and coverage: tables and plots for docs/accuracy.md. Seeds are fixed.</summary>
internal static class AccuracyGrids
{
    public static int Run(ReadOnlySpan<string> args)
    {
        string folder = args is [_, "--out", var named, ..] ? named : "docs/accuracy";
        string which = args is [var first, ..] ? first : "all";
        Directory.CreateDirectory(folder);
        if (which is "hyperloglog" or "all")
            HyperLogLogs(folder);
        if (which is "martingale" or "all")
            Martingales(folder);
        if (which is "coverage" or "all")
            Coverage(folder);
        if (which is "error" or "all")
            Errors(folder);
        if (which is "top" or "all")
            Tops(folder);
        if (which is "distinct-table" or "all")
            DistinctTableGrid.Run(folder);
        if (which is "large" or "all")
            LargeWindow(folder);
        if (which is "clickhouse" or "all")
            ClickHouseComparison.Run(folder);
        return 0;
    }

    private static void HyperLogLogs(string folder)
    {
        Table table = new(folder, "hyperloglog", "precision", "elements", "trials", "bias_in_s", "rmse_in_s", "exact_share");
        Dictionary<string, (double, double)[]> bias = [], rmse = [];
        foreach (int precision in (int[])[10, 12, 14])
        {
            long m = 1 << precision;
            SortedSet<long> small = [1, 2, 3, 5, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
            small.UnionWith([m / 4, m / 2, m, 2 * m, 5 * m / 2, 3 * m, 4 * m, 5 * m]);
            CardinalityError[] results =
            [
                .. CardinalityError.ByAdding(precision, [.. small], 1_000, seed: 3),
                .. CardinalityError.ByDrawing(precision, [3_000_000, 10_000_000, 30_000_000, 100_000_000, 300_000_000, 1_000_000_000], 1_000, seed: 4),
            ];
            foreach (CardinalityError r in results)
                table.Add(r.Precision, r.Elements, 1_000, r.Bias, r.Rmse, r.ExactShare);
            bias[$"p = {precision}"] = [.. results.Select(r => ((double)r.Elements, r.Bias))];
            rmse[$"p = {precision}"] = [.. results.Select(r => ((double)r.Elements, r.Rmse))];
        }

        table.Save();
        Plot.Save(Path.Combine(folder, "hyperloglog-bias.svg"), "HyperLogLog: bias over 1,000 trials", "distinct elements", "bias / s", -0.2, 0.2, bias);
        Plot.Save(Path.Combine(folder, "hyperloglog-rmse.svg"), "HyperLogLog: RMSE over 1,000 trials", "distinct elements", "RMSE / s", 0, 1.2, rmse);
    }

    private static void Martingales(string folder)
    {
        Table table = new(folder, "martingale", "precision", "at_checkpoint", "added", "trials", "rmse_percent", "coverage_95", "coverage_of_a_third");
        Dictionary<string, (double, double)[]> plot = [];
        foreach (int start in (int[])[10_000, 100_000])
        {
            MartingaleTrials[] moments = [.. ((double[])[0.001, 0.01, 0.1, 1]).Select(g => new MartingaleTrials(start, (int)(start * g)))];
            ulong[] elements = new ulong[start];
            for (int trial = 0; trial < 2_000; trial++)
            {
                ulong from = (ulong)trial << 32;
                for (int n = 0; n < start; n++)
                    elements[n] = Streams.Id(from + (ulong)n);
                HyperLogLog state = new(1);
                state.Add(elements);
                DistinctMartingale martingale = new(state, start);
                int next = 0;
                foreach (MartingaleTrials moment in moments)
                {
                    for (; next < moment.Added; next++)
                    {
                        martingale.Add(Streams.Id(from + (ulong)(start + next)));
                        martingale.Add(elements[next % start]); // a repeat
                    }

                    moment.Take(martingale);
                }
            }

            foreach (MartingaleTrials moment in moments)
                table.Add(12, start, moment.Added, 2_000, moment.Rmse * 100, moment.Coverage, moment.Cut);
            plot[$"from {start}"] = [.. moments.Select(m => (100.0 * m.Added / start, m.Rmse * 100))];
        }

        plot["without a checkpoint"] = [(0.1, 100 * HyperLogLog.StandardErrorOf(12)), (100, 100 * HyperLogLog.StandardErrorOf(12))];
        table.Save();
        Plot.Save(Path.Combine(folder, "martingale.svg"), "Distinct: RMSE after an exact checkpoint, precision 12, 2,000 trials", "elements added, % of those at the checkpoint", "RMSE, %", 0, 2, plot);
    }

    // The worst of the seeds, not their mean: every one has to hold.
    private static void Coverage(string folder)
    {
        const int Seeds = 4;
        Table table = new(
            folder, "coverage", "ids", "weights", "windows", "partitions", "above_upper", "at_95", "at_99", "top_95", "top_99", "once_95", "once_99",
            "cut", "quantile_95", "real_error_95", "width_of_allowed", "textbook");
        List<(double All95, double Once95, double All99, double Once99)> worst = [];
        foreach (CoverageCell cell in CoverageCell.Grid())
        {
            CoverageResult[] r = [.. Enumerable.Range(1, Seeds).AsParallel().Select(seed => cell.Run(300_000, 120_000, 256 << 10, seed))];
            table.Add(
                cell.Ids, cell.Weights, cell.Windows, cell.Partitions, r.Sum(x => x.AboveUpper), r.Min(x => x.At95), r.Min(x => x.At99),
                r.Min(x => x.Top95), r.Min(x => x.Top99), r.Min(x => x.Once95), r.Min(x => x.Once99), r.Max(x => x.Cut),
                r.Average(x => x.Quantile95), r.Average(x => x.RealError95), r.Max(x => x.Quantile95 / (2.0 * x.RealError95 + 5 * x.MeanDelta)),
                r.Average(x => x.Textbook));
            worst.Add((r.Min(x => x.At95), r.Min(x => x.Once95), r.Min(x => x.At99), r.Min(x => x.Once99)));
        }

        table.Save();
        Dictionary<string, (double, double)[]> plot = new()
        {
            ["95 %, all ids"] = Ranked(worst.Select(w => w.All95)),
            ["95 %, seen once"] = Ranked(worst.Select(w => w.Once95)),
            ["99 %, all ids"] = Ranked(worst.Select(w => w.All99)),
            ["99 %, seen once"] = Ranked(worst.Select(w => w.Once99)),
        };
        Plot.Save(Path.Combine(folder, "coverage.svg"), "Count-min: coverage in each of 126 cells, worst of four seeds, worst cell first", "cell", "coverage", 0.94, 1, plot);
    }

    private static (double, double)[] Ranked(IEnumerable<double> shares) => [.. shares.Order().Select((share, i) => (i + 1.0, share))];

    // Error of an id drawn evenly, and of an increment drawn evenly, beside the textbook sketch of the same memory.
    private static void Errors(string folder)
    {
        const int Increments = 5_000_000, Distinct = 2_000_000;
        Table table = new(folder, "error", "zipf", "mib", "mean_error", "p99_error", "max_error", "textbook_mean", "textbook_p99", "textbook_max", "traffic_exact_percent");
        Dictionary<string, (double, double)[]> plot = [];
        foreach (double exponent in (double[])[0.8, 1.0, 1.2])
        {
            ulong[] ids = Streams.Zipf(Increments, Distinct, exponent, seed: 9);
            Dictionary<ulong, long> truth = Streams.Count(ids, Streams.Ones(Increments));
            List<(double, double)> ours = [], theirs = [];
            foreach (int mib in (int[])[1, 4, 16, 64])
            {
                CountMinSketch sketch = new((long)mib << 20, new SketchKey(1, 2));
                TextbookCountMin textbook = new((long)mib << 20);
                sketch.Add(ids, Streams.Ones(Increments));
                foreach (ulong id in ids)
                    textbook.Add(id, 1);
                long[] a = [.. truth.Select(t => sketch.Estimate(t.Key) - t.Value).Order()];
                long[] b = [.. truth.Select(t => textbook.Estimate(t.Key) - t.Value).Order()];
                double exact = 100.0 * truth.Where(t => sketch.Estimate(t.Key) == t.Value).Sum(t => t.Value) / Increments;
                table.Add(exponent, mib, a.Average(), a[a.Length * 99L / 100], a[^1], b.Average(), b[b.Length * 99L / 100], b[^1], exact);
                ours.Add((mib, a.Average()));
                theirs.Add((mib, b.Average()));
            }

            plot[$"Zipf {exponent}: Sketch"] = [.. ours];
            if (exponent == 1.0)
                plot["Zipf 1: textbook"] = [.. theirs];
        }

        table.Save();
        Plot.Save(Path.Combine(folder, "count-min-error.svg"), "Count-min: mean error of an id, 5 million increments", "MiB", "mean error", 0, 20, plot);
    }

    private static void Tops(string folder)
    {
        const int K = 100;
        Table table = new(folder, "top", "zipf", "capacity", "recall", "certain", "certain_precision", "bounds_violated");
        foreach (double exponent in (double[])[0.8, 1.0, 1.2])
        {
            ulong[] ids = Streams.Zipf(10_000_000, 2_000_000, exponent, seed: 5);
            Dictionary<ulong, long> truth = Streams.Count(ids, Streams.Ones(ids.Length));
            long kth = truth.Values.OrderDescending().ElementAt(K - 1);
            CountMinSketch sketch = new(16 << 20, new SketchKey(1, 2));
            sketch.Add(ids, Streams.Ones(ids.Length));
            foreach (int capacity in (int[])[1_024, 4_096, 16_384])
            {
                HeavyHitters heavy = new(capacity);
                foreach (ulong id in ids)
                    heavy.Add(id, 1);
                HeavyHitter[] entries = new HeavyHitter[capacity];
                int count = heavy.CopyTo(entries, out long offset);
                TopItem[] top = TopList.Pick(
                    [.. entries.Take(count).Select(e => TopCandidate.From(e.Id, 0, e.Lower, e.Upper, sketch.Estimate(e.Id), 0))], K, offset);
                int certain = top.Count(i => i.Certain), right = top.Count(i => i.Certain && truth[i.Candidate.Id] >= kth);
                int violated = entries.Take(count).Count(e => truth[e.Id] < e.Lower || truth[e.Id] > e.Upper);
                table.Add(exponent, capacity, top.Count(i => truth[i.Candidate.Id] >= kth) / (double)K, certain, certain == 0 ? 1.0 : (double)right / certain, violated);
            }
        }

        table.Save();
    }

    // 10^8 increments over 10^7 ids into 64 MiB.
    private static void LargeWindow(string folder)
    {
        const int Distinct = 10_000_000, Rounds = 100, Batch = 1_000_000;
        Table table = new(folder, "large-window", "zipf", "increments", "mib", "p50_error", "p95_error", "p99_error", "max_error", "quantile_95", "traffic_exact_percent", "textbook_bound");
        foreach (double exponent in (double[])[1.0, 0.8])
        {
            double[] cumulative = Streams.ZipfDistribution(Distinct, exponent);
            int[] truth = new int[Distinct];
            CountMinSketch sketch = new(64 << 20, new SketchKey(1, 2));
            ulong[] ids = new ulong[Batch];
            uint[] ones = Streams.Ones(Batch);
            for (int round = 0; round < Rounds; round++)
            {
                Random random = new(round);
                for (int i = 0; i < Batch; i++)
                {
                    int rank = Streams.DrawRank(cumulative, random);
                    truth[rank]++;
                    ids[i] = Streams.Id((ulong)rank);
                }

                sketch.Add(ids, ones);
            }

            GhostSample ghosts = new(new SketchKey(5, 6), 8_192);
            ghosts.Evaluate([sketch]);
            List<long> errors = new(Distinct);
            long exact = 0;
            for (int rank = 0; rank < Distinct; rank++)
            {
                if (truth[rank] == 0)
                    continue;
                long error = sketch.Estimate(Streams.Id((ulong)rank)) - truth[rank];
                errors.Add(error);
                exact += error == 0 ? truth[rank] : 0;
            }

            errors.Sort();
            table.Add(
                exponent, (long)Rounds * Batch, 64, errors[errors.Count / 2], errors[(int)(errors.Count * 0.95)], errors[(int)(errors.Count * 0.99)], errors[^1],
                ghosts.Quantile(0.95), 100.0 * exact / ((long)Rounds * Batch), Math.E * sketch.TotalWeight / sketch.Width);
        }

        table.Save();
    }
}
