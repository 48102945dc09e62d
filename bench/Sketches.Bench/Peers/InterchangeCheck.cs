using System.Buffers;
using System.Globalization;
using Sketch.Sketches;

namespace Sketch.Bench.Sketches.Peers;

/// <summary>Lets Apache DataSketches C++ read what we wrote, and go on counting with it.</summary>
internal static class InterchangeCheck
{
    private delegate void Writer(IBufferWriter<byte> writer);

    public static int Run()
    {
        string folder = Directory.CreateTempSubdirectory("sketch-interchange-").FullName;
        int wrong = 0;
        try
        {
            using PeerProcess? peer = PeerProcess.Start(folder);
            if (peer is null)
                return 1;
            foreach ((int precision, int elements) in ((int, int)[])[(12, 0), (12, 5), (12, 30), (12, 300), (12, 50_000), (4, 100), (18, 1_000_000)])
                wrong += Hll(peer, folder, precision, elements) ? 0 : 1;
            wrong += CountMin(peer, folder, 4, 1_000, DataSketchesCountMin.DefaultSeed) ? 0 : 1;
            wrong += CountMin(peer, folder, 7, 31, 42) ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Console.WriteLine(wrong == 0 ? "all read alike" : $"{wrong} differ");
        return wrong == 0 ? 0 : 1;
    }

    private static bool Hll(PeerProcess peer, string folder, int precision, int elements)
    {
        DataSketchesHll sketch = new(precision);
        for (ulong i = 0; i < (ulong)elements; i++)
            sketch.Add(i);
        string file = Save(folder, writer => sketch.Write(writer));
        double estimate = sketch.Estimate();
        (double Lower, double Upper) bounds = sketch.IsEmpty ? (0, 0) : sketch.Bounds(2);
        for (ulong i = 0; i < 1_000; i++)
            sketch.Add(1_000_000_000 + i);
        double[] theirs = peer.Ask($"read-hll {file}");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"HLL_8 lgK {precision}, {elements}: ours {estimate:0.####} [{bounds.Lower:0.##}, {bounds.Upper:0.##}], theirs {theirs[0]:0.####} [{theirs[1]:0.##}, {theirs[2]:0.##}]; 1,000 more: ours {sketch.Estimate():0.####}, theirs {theirs[3]:0.####}"));
        return Near(estimate, theirs[0]) && Near(sketch.Estimate(), theirs[3]);
    }

    private static bool CountMin(PeerProcess peer, string folder, int rows, int buckets, ulong seed)
    {
        DataSketchesCountMin sketch = new(rows, buckets, seed);
        for (ulong i = 0; i < 20_000; i++)
            sketch.Add(i % 777, (long)(i % 5));
        double[] ours = [sketch.TotalWeight, .. Enumerable.Range(0, 8).Select(id => (double)sketch.Estimate((ulong)id))];
        double[] theirs = peer.Ask($"read-count-min {Save(folder, sketch.Write)} {seed}");
        Console.WriteLine($"count-min {rows} x {buckets}, seed {seed}: ours {string.Join(' ', ours)}, theirs {string.Join(' ', theirs)}");
        return ours.SequenceEqual(theirs);
    }

    private static bool Near(double one, double other) => Math.Abs(one - other) <= 1e-8 * Math.Max(1, one);

    private static string Save(string folder, Writer write)
    {
        ArrayBufferWriter<byte> writer = new();
        write(writer);
        string file = Path.Combine(folder, "sketch");
        File.WriteAllBytes(file, writer.WrittenSpan);
        return file;
    }
}
