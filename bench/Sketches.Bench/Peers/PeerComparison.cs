using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using Sketch.Sketches;
using Sketch.Tests.Sketches;

namespace Sketch.Bench.Sketches.Peers;

/// <summary>
/// Speed and error beside Apache DataSketches C++, a textbook count-min and dictionaries: the same ids, the same run, in turns, processor
/// time of one thread, every pass into an empty sketch of touched memory, hashing included on both sides.
/// </summary>
internal static class PeerComparison
{
    private const int Ids = 1 << 22;

    private static readonly SketchKey Key = new(0x0123456789abcdef, 0xfedcba9876543210);

    public static int Run(int rounds, string only)
    {
        string folder = Directory.CreateTempSubdirectory("sketch-peers-").FullName;
        try
        {
            using PeerProcess? peer = PeerProcess.Start(folder);
            foreach ((string name, ulong[] ids) in Values())
            {
                Console.WriteLine($"## {name}, {Ids:N0} ids\n");
                string file = Path.Combine(folder, "ids");
                File.WriteAllBytes(file, MemoryMarshal.AsBytes<ulong>(ids));
                peer?.Ask($"load {file}");
                foreach (int mebibytes in Asked("count-min") ? [16, 2] : (int[])[])
                    CountMin(mebibytes, ids, peer, rounds);
                if (Asked("tables"))
                    Tables(ids, rounds);
                foreach (int precision in Asked("distinct") ? [12, 14] : (int[])[])
                    Distinct(precision, ids, peer, rounds);
                foreach (int logSize in Asked("heavy") ? [12, 14] : (int[])[])
                    Heavy(logSize, ids, peer, rounds);
                foreach (int mebibytes in Asked("errors") ? [16, 2] : (int[])[])
                    PeerErrors.CountMin(mebibytes, ids, peer, folder, Key);
            }

            if (Asked("merges"))
                Merges(peer, rounds);
            if (Asked("errors"))
                PeerErrors.Distinct(12, peer, Key);
            return 0;

            bool Asked(string part) => only == "all" || only == part;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<(string Name, ulong[] Ids)> Values()
    {
        yield return ("Zipf 1.05 of 1 million", Streams.Zipf(Ids, 1_000_000, 1.05, seed: 1));
        yield return ("Zipf 1.05 of 10 million", Streams.Zipf(Ids, 10_000_000, 1.05, seed: 2));
        Random random = new(3);
        yield return ("uniform of 10 million", [.. Enumerable.Range(0, Ids).Select(_ => Streams.Id((ulong)random.Next(10_000_000)))]);
    }

    private static void CountMin(int mebibytes, ulong[] ids, PeerProcess? peer, int rounds)
    {
        long memory = (long)mebibytes << 20;
        int buckets = (int)(memory / 4 / sizeof(long));
        uint[] ones = Streams.Ones(ids.Length);
        long[] deltas = [.. ones.Select(one => (long)one)];
        CountMinSketch sketch = new(memory, Key);
        SumSketch sums = new(memory, Key);
        TextbookCountMin textbook = new(memory);
        Contest contest = new(string.Create(CultureInfo.InvariantCulture, $"count-min, {mebibytes} MiB"), "ns an update");
        contest.Add("ours, batch", () => Cleared(() => sketch.Clear(Key), () => sketch.Add(ids, ones)));
        contest.Add("ours, signed with hot ids, batch", () => Cleared(() => sums.Clear(Key), () => sums.Add(ids, deltas)));
        if (peer is not null)
        {
            contest.Add($"DataSketches, same bytes (4 x {buckets})", () => peer.Ask($"count-min 4 {buckets}")[0]);
            contest.Add($"DataSketches, same cells (4 x {buckets * 2}, twice the bytes)", () => peer.Ask($"count-min 4 {buckets * 2}")[0]);
        }

        contest.Add("textbook in C#, same bytes", () => Cleared(textbook.Clear, () =>
        {
            foreach (ulong id in ids)
                textbook.Add(id, 1);
        }));
        contest.Run(rounds, Console.Out);

        double Cleared(Action clear, Action pass)
        {
            clear();
            return ThreadClock.Of(pass) / ids.Length;
        }
    }

    private static void Tables(ulong[] ids, int rounds)
    {
        uint[] ones = Streams.Ones(ids.Length);
        CountMinSketch sketch = new(16 << 20, Key);
        Dictionary<ulong, long> dictionary = new(ids.Length);
        ConcurrentDictionary<ulong, long> concurrent = new(1, ids.Length);
        Contest contest = new("exact tables beside a sketch of 16 MiB", "ns an update");
        contest.Add("ours, batch", () =>
        {
            sketch.Clear(Key);
            return ThreadClock.Of(() => sketch.Add(ids, ones)) / ids.Length;
        });
        contest.Add("Dictionary, GetValueRefOrAddDefault", () =>
        {
            dictionary.Clear();
            return ThreadClock.Of(() =>
            {
                foreach (ulong id in ids)
                    CollectionsMarshal.GetValueRefOrAddDefault(dictionary, id, out _)++;
            }) / ids.Length;
        });
        contest.Add("ConcurrentDictionary, AddOrUpdate", () =>
        {
            concurrent.Clear();
            return ThreadClock.Of(() =>
            {
                foreach (ulong id in ids)
                    concurrent.AddOrUpdate(id, 1, static (_, sum) => sum + 1);
            }) / ids.Length;
        });
        contest.Run(Math.Min(rounds, 3), Console.Out);
    }

    private static void Distinct(int precision, ulong[] ids, PeerProcess? peer, int rounds)
    {
        Contest contest = new(string.Create(CultureInfo.InvariantCulture, $"HyperLogLog, 2^{precision} registers"), "ns an update");
        contest.Add("ours, SipHash-1-3, batches of 1,024", () =>
        {
            HyperLogLog state = new(Key.KeyId, precision);
            return ThreadClock.Of(() => InBatches(ids, state.Add)) / ids.Length;
        });
        contest.Add("ours with the martingale estimator", () =>
        {
            DistinctMartingale martingale = new(new HyperLogLog(Key.KeyId, precision), 0);
            return ThreadClock.Of(() => InBatches(ids, martingale.Add)) / ids.Length;
        });
        if (peer is not null)
            contest.Add($"DataSketches HLL_8, lgK {precision}", () => peer.Ask($"hll {precision}")[0]);
        contest.Run(rounds, Console.Out);
    }

    private static void InBatches(ReadOnlySpan<ulong> ids, Action<ReadOnlySpan<ulong>> add)
    {
        Span<ulong> hashes = stackalloc ulong[1024];
        for (; ids.Length > 0; ids = ids[Math.Min(ids.Length, hashes.Length)..])
        {
            ReadOnlySpan<ulong> batch = ids[..Math.Min(ids.Length, hashes.Length)];
            ElementHash.ComputeEach(Key, batch, hashes[..batch.Length]);
            add(hashes[..batch.Length]);
        }
    }

    private static void Heavy(int logSize, ulong[] ids, PeerProcess? peer, int rounds)
    {
        // The library fills its map to three quarters.
        int capacity = (1 << logSize) * 3 / 4;
        HeavyHitters heavy = new(capacity, Key);
        Contest contest = new(string.Create(CultureInfo.InvariantCulture, $"heaviest ids, {capacity:N0} entries"), "ns an update");
        contest.Add("ours", () =>
        {
            heavy.Clear();
            return ThreadClock.Of(() =>
            {
                foreach (ulong id in ids)
                    heavy.Add(id, 1);
            }) / ids.Length;
        });
        double offset = 0;
        if (peer is not null)
        {
            contest.Add($"DataSketches frequent items, map of 2^{logSize}", () =>
            {
                double[] answer = peer.Ask($"frequent-items {logSize}");
                offset = answer[1];
                return answer[0];
            });
        }

        contest.Run(rounds, Console.Out);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Most that an absent id may weigh: ours {heavy.Offset}, DataSketches {offset}\n"));
    }

    private static void Merges(PeerProcess? peer, int rounds)
    {
        CountMinSketch one = new(16 << 20, Key), other = new(16 << 20, Key);
        byte[] from = new byte[16 << 20], to = new byte[16 << 20];
        from.AsSpan().Fill(1);
        Contest contest = new("merge of 16 MiB of count-min", "us");
        // Twenty in a row on every side: the first finds what the contender before has left in the caches.
        contest.Add("ours", () => ThreadClock.Of(() =>
        {
            for (int i = 0; i < 20; i++)
                one.Merge(other);
        }) / 20e3);
        contest.Add("copying 16 MiB", () => ThreadClock.Of(() =>
        {
            for (int i = 0; i < 20; i++)
                from.CopyTo(to.AsSpan());
        }) / 20e3);
        if (peer is not null)
        {
            peer.Ask($"count-min 4 {(16 << 20) / 32}");
            contest.Add("DataSketches", () => peer.Ask($"count-min-merge")[0] / 1e3);
        }

        contest.Run(rounds * 3, Console.Out);

        HyperLogLog left = new(Key.KeyId, 14), right = new(Key.KeyId, 14);
        InBatches([.. Enumerable.Range(0, 100_000).Select(i => (ulong)i)], left.Add);
        InBatches([.. Enumerable.Range(0, 100_000).Select(i => (ulong)i * 7)], right.Add);
        Contest registers = new("merge of 2^14 registers", "us");
        registers.Add("ours", () => ThreadClock.Of(() =>
        {
            for (int i = 0; i < 1_000; i++)
                left.Merge(right);
        }) / 1e6);
        registers.Add("copying 16 KiB", () => ThreadClock.Of(() =>
        {
            for (int i = 0; i < 1_000; i++)
                from.AsSpan(0, 1 << 14).CopyTo(to);
        }) / 1e6);
        registers.Run(rounds * 3, Console.Out);
    }
}
