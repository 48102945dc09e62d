using System.Diagnostics;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Bench.Sketches.Grids;

/// <summary>A million distinct counters of Zipf cardinalities: memory and time of the table, and of a dictionary of states.</summary>
internal static class DistinctTableGrid
{
    private const int Counters = 1_000_000;

    public static void Run(string folder)
    {
        Table table = new(folder, "distinct-table", "elements", "how", "counters", "mb", "bytes_a_counter", "ns_an_element");
        foreach (int largest in (int[])[69_480, 694_800])
        {
            (ulong[] ids, ulong[] hashes) = Elements(largest);
            SketchKey key = new(1, 2);
            DistinctTable batched = new(key), single = new(key);
            Note(table, ids.Length, "table, batches", () => { batched.Add(ids, hashes); return batched.MemoryBytes; });
            Note(table, ids.Length, "table, one by one", () =>
            {
                for (int i = 0; i < ids.Length; i++)
                    single.Add(ids[i], hashes[i]);
                return single.MemoryBytes;
            });
            Note(table, ids.Length, "dictionary of states", () => Dictionary(ids, hashes, key.KeyId));
        }

        table.Save();
    }

    private static void Note(Table table, int elements, string how, Func<long> add)
    {
        long start = Stopwatch.GetTimestamp();
        long bytes = add();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        table.Add(elements, how, Counters, bytes / 1e6, (double)bytes / Counters, seconds * 1e9 / elements);
    }

    // What .NET's Dictionary takes: 24 bytes an entry and 4 a bucket.
    private static long Dictionary(ulong[] ids, ulong[] hashes, ulong keyId)
    {
        Dictionary<ulong, HyperLogLog> states = [];
        for (int i = 0; i < ids.Length; i++)
        {
            if (!states.TryGetValue(ids[i], out HyperLogLog? state))
                states[ids[i]] = state = new HyperLogLog(keyId);
            state.Add(hashes[i]);
        }

        return states.Values.Sum(s => (long)s.MemoryBytes) + states.EnsureCapacity(0) * 28L;
    }

    // Every counter once, the c-th largest / c times in all, shuffled as they would come.
    private static (ulong[] Ids, ulong[] Hashes) Elements(int largest)
    {
        List<ulong> ids = [], hashes = [];
        for (int counter = 0; counter < Counters; counter++)
        {
            int size = Math.Max(1, largest / (counter + 1));
            for (int n = 0; n < size; n++)
            {
                ids.Add(Streams.Id((ulong)counter));
                hashes.Add(Streams.Id(((ulong)(counter + 1) << 32) + (ulong)n));
            }
        }

        ulong[] shuffledIds = [.. ids], shuffledHashes = [.. hashes];
        new Random(1).Shuffle(shuffledIds);
        new Random(1).Shuffle(shuffledHashes); // the same seed: the same order
        return (shuffledIds, shuffledHashes);
    }
}
