using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Tables;
using Sketch.Engine.Totals;
using Sketch.Sketches;

namespace Sketch.Bench.Node;

/// <summary>
/// What an increment costs in each table as distinct ids grow, in the worst case: uniform, so that nothing stays in a cache. Medians of five passes over the same ids,
/// each in batches of 1,000, on one thread.
/// </summary>
internal static class GrowthBench
{
    /// <summary>Memory of a sketch: that of a window, by default.</summary>
    public const long SketchBytes = 16 << 20;

    private const int Batch = 1_000;
    private const int Increments = 16_000 * Batch;
    private const int Passes = 5;

    private static readonly byte[] Secret = new byte[32];
    private static readonly uint[] Ones = [.. Enumerable.Repeat(1u, Batch)];

    /// <summary>Measures and prints, for each power of ten from a million on.</summary>
    /// <param name="most">The most distinct ids.</param>
    /// <returns>The exit code.</returns>
    public static int Run(int most)
    {
        (double Sketch, double Window, double Totals)? first = null;
        Console.WriteLine("  distinct ids   count-min   exact sums of a window   look-up of a counter, with all of them in memory");
        for (long counters = 1_000_000; counters <= most; counters *= 10)
        {
            ulong[] ids = Draw((uint)counters);
            double sketch = Sketched(ids);
            (double window, double windowBytes) = Window(ids, (uint)counters);
            (double totals, double totalBytes) = Totals(ids, (uint)counters);
            first ??= (sketch, window, totals);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{counters,14:N0}   {sketch,4:0.0} ns x {sketch / first.Value.Sketch:0.0}   {window,4:0.0} ns x {window / first.Value.Window:0.0}, {windowBytes:0.0} B an id   {totals,4:0.0} ns x {totals / first.Value.Totals:0.0}, {totalBytes:0.0} B an id"));
        }

        return 0;
    }

    private static double Sketched(ulong[] ids)
    {
        CountMinSketch sketch = new(SketchBytes, SketchKey.Derive(Secret, "growth", 0, 0));
        uint[] estimates = new uint[Batch];
        return Median(ids, some => sketch.Add(some, Ones, estimates));
    }

    private static (double Nanoseconds, double Bytes) Window(ulong[] ids, uint counters)
    {
        DeltaTable table = new();
        ulong[] some = new ulong[Batch];
        for (uint from = 0; from < counters; from += Batch)
        {
            for (uint i = 0; i < Batch; i++)
            {
                some[i] = Id(from + i);
            }

            table.Add<uint>(some, Ones);
        }

        return (Median(ids, batch => table.Add<uint>(batch, Ones)), table.MemoryBytes / (double)counters);
    }

    private static (double Nanoseconds, double Bytes) Totals(ulong[] ids, uint counters)
    {
        CounterTable table = new(Secret, 1L << 40);
        table.Expect(counters);
        byte[] name = new byte[sizeof(uint)];
        StoredNames counter = new("n", name, new TextPlace[] { new(0, name.Length) });
        for (uint i = 0; i < counters; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(name, i);
            table.LoadNames(0, counter);
        }

        table.FinishLoading();
        long[] references = new long[Batch];
        return (Median(ids, batch => table.Find(batch, references)), table.MemoryBytes / (double)counters);
    }

    private static double Median(ulong[] ids, Action<ReadOnlySpan<ulong>> add)
    {
        double[] passes = new double[Passes];
        for (int pass = -1; pass < Passes; pass++)
        {
            long began = Stopwatch.GetTimestamp();
            for (int from = 0; from < ids.Length; from += Batch)
            {
                add(ids.AsSpan(from, Batch));
            }

            if (pass >= 0)
            {
                passes[pass] = Stopwatch.GetElapsedTime(began).TotalNanoseconds / ids.Length;
            }
        }

        return passes.Order().ElementAt(Passes / 2);
    }

    private static ulong[] Draw(uint counters)
    {
        Random random = new(1);
        return [.. Enumerable.Range(0, Increments).Select(_ => Id((uint)random.NextInt64(counters)))];
    }

    private static ulong Id(uint number)
    {
        Span<byte> name = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(name, number);
        return CounterId.Of("n:"u8, name);
    }
}
