using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Sketch.Engine.Tables;
using Sketch.Server.Commands.Bench;
using Sketch.Sketches;

namespace Sketch.Bench.Node;

/// <summary>What a program that counts in itself would write, and what the node has in its place: both in this process, where nothing is kept.</summary>
internal static class InProcess
{
    private const int Batch = 1_000;

    /// <summary>A dictionary that all threads add to.</summary>
    public static double Dictionary(BenchStream stream, int threads, int seconds)
    {
        ConcurrentDictionary<ulong, long> counts = new();
        return Run(stream, threads, seconds, ids =>
        {
            foreach (ulong id in ids)
            {
                counts.AddOrUpdate(id, 1, static (_, count) => count + 1);
            }
        });
    }

    /// <summary>A live window's count-min sketch and the exact sums of the same window, one after the other on one thread.</summary>
    public static double Tables(BenchStream stream, int seconds)
    {
        CountMinSketch sketch = new(GrowthBench.SketchBytes, SketchKey.Derive(new byte[32], "in process", 0, 0));
        DeltaTable sums = new();
        uint[] ones = [.. Enumerable.Repeat(1u, Batch)];
        uint[] estimates = new uint[Batch];
        return Run(stream, threads: 1, seconds, ids =>
        {
            sketch.Add(ids, ones, estimates);
            sums.Add<uint>(ids, ones);
        });
    }

    private static double Run(BenchStream stream, int threads, int seconds, Action<ReadOnlySpan<ulong>> add)
    {
        long total = 0;
        Stopwatch watch = Stopwatch.StartNew();
        Thread[] all = [.. Enumerable.Range(0, threads).Select(number => new Thread(() =>
        {
            long part = number;
            for (; watch.Elapsed.TotalSeconds < seconds; part += threads)
            {
                add(MemoryMarshal.Cast<byte, ulong>(stream.Part(part, Batch).Span));
            }

            Interlocked.Add(ref total, part / threads * Batch);
        }))];
        foreach (Thread thread in all)
        {
            thread.Start();
        }

        foreach (Thread thread in all)
        {
            thread.Join();
        }

        return total / watch.Elapsed.TotalSeconds;
    }
}
