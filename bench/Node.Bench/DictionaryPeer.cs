using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Sketch.Server.Commands.Bench;

namespace Sketch.Bench.Node;

/// <summary>What a program that counts in itself would write.</summary>
internal static class DictionaryPeer
{
    public static double Run(BenchStream stream, int threads, int seconds)
    {
        const int Batch = 1_000;
        ConcurrentDictionary<ulong, long> counts = new();
        long total = 0;
        Stopwatch watch = Stopwatch.StartNew();
        Thread[] all = [.. Enumerable.Range(0, threads).Select(number => new Thread(() =>
        {
            long part = number;
            for (; watch.Elapsed.TotalSeconds < seconds; part += threads)
            {
                foreach (ulong id in MemoryMarshal.Cast<byte, ulong>(stream.Part(part, Batch).Span))
                {
                    counts.AddOrUpdate(id, 1, static (_, count) => count + 1);
                }
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
