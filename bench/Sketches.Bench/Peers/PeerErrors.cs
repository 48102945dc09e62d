using System.Globalization;
using System.Runtime.InteropServices;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Bench.Sketches.Peers;

/// <summary>Errors on the same values, ours beside the peer's.</summary>
internal static class PeerErrors
{
    public static void CountMin(int mebibytes, ulong[] ids, PeerProcess? peer, string folder, SketchKey key)
    {
        Dictionary<ulong, long> truth = Streams.Count(ids, Streams.Ones(ids.Length));
        ulong[] distinct = [.. truth.Keys];
        CountMinSketch sketch = new((long)mebibytes << 20, key);
        sketch.Add(ids, Streams.Ones(ids.Length));
        uint[] estimates = new uint[distinct.Length];
        sketch.Estimate(distinct, estimates);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| error of count-min, {mebibytes} MiB, {distinct.Length:N0} ids | mean | p99 | largest | exact |"));
        Console.WriteLine("|---|---|---|---|---|");
        Print("ours", [.. distinct.Select((id, i) => estimates[i] - truth[id])]);
        int buckets = (mebibytes << 20) / 32;
        if (peer is not null)
        {
            Print($"DataSketches, same bytes (4 x {buckets})", Ask(buckets));
            Print($"DataSketches, same cells (4 x {buckets * 2})", Ask(buckets * 2));
        }

        Console.WriteLine();

        long[] Ask(int width)
        {
            string from = Path.Combine(folder, "distinct"), to = Path.Combine(folder, "estimates");
            File.WriteAllBytes(from, MemoryMarshal.AsBytes<ulong>(distinct));
            peer.Ask($"count-min 4 {width}");
            peer.Ask($"count-min-estimates {from} {to}");
            long[] answers = MemoryMarshal.Cast<byte, long>(File.ReadAllBytes(to)).ToArray();
            return [.. distinct.Select((id, i) => answers[i] - truth[id])];
        }
    }

    private static void Print(string name, long[] errors)
    {
        Array.Sort(errors);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {errors.Average():0.00} | {errors[(int)(errors.Length * 0.99)]} | {errors[^1]} | {100.0 * errors.Count(e => e == 0) / errors.Length:0.0} % |"));
    }

    public static void Distinct(int precision, PeerProcess? peer, SketchKey key)
    {
        const int Trials = 400, Elements = 100_000;
        double plain = 0, martingale = 0, theirs = 0;
        ulong[] ids = new ulong[Elements], hashes = new ulong[Elements];
        for (ulong trial = 0; trial < Trials; trial++)
        {
            for (int i = 0; i < Elements; i++)
                ids[i] = (trial << 32) + (ulong)i;
            ElementHash.ComputeEach(key, ids, hashes);
            DistinctMartingale counted = new(new HyperLogLog(key.KeyId, precision), 0);
            counted.Add(hashes);
            plain += Math.Pow(counted.State.Estimate() / Elements - 1, 2);
            martingale += Math.Pow(counted.NewElements / Elements - 1, 2);
            theirs += peer is null ? 0 : Math.Pow(peer.Ask($"hll-trial {precision} {trial} {Elements}")[0] / Elements - 1, 2);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| root mean square error, 2^{precision} registers, {Elements:N0} elements, {Trials} trials | % |"));
        Console.WriteLine("|---|---|");
        foreach ((string name, double sum) in ((string, double)[])[("ours, mergeable state alone", plain), ("ours with the martingale", martingale), ("DataSketches HLL_8", theirs)])
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {100 * Math.Sqrt(sum / Trials):0.00} |"));
    }
}
