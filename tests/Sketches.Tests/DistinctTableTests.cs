using System.Buffers;
using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class DistinctTableTests
{
    private static readonly SketchKey Key = new(3, 4);

    // Cardinalities by Zipf's law: element n of counter c is the n-th of a sequence of its own.
    private static ulong Hash(int counter, int n) => Streams.Id(((ulong)counter << 32) + (ulong)n);

    private static ulong Id(int counter) => Streams.Id((ulong)counter ^ 0xabcdef);

    private static byte[] Bytes(HyperLogLog state)
    {
        ArrayBufferWriter<byte> writer = new();
        state.Save(writer);
        return writer.WrittenSpan.ToArray();
    }

    private static HyperLogLog Single(int counter, int elements, int precision)
    {
        HyperLogLog state = new(Key.KeyId, precision);
        for (int n = 0; n < elements; n++)
            state.Add(Hash(counter, n));
        return state;
    }

    [Theory]
    [InlineData(4)]
    [InlineData(10)]
    [InlineData(12)]
    [InlineData(14)]
    public void Every_state_equals_a_single_HyperLogLog_of_the_same_elements(int precision)
    {
        // 0 to 20,000 elements a counter, by turns: every class of blocks is grown into, left, and used again.
        int[] sizes = [.. Enumerable.Range(0, 400).Select(c => (int)(20_000 / Math.Pow(c + 1, 1.2))), 1, 2, 3, 4, 5, 767, 768, 769, 12_288, 12_289];
        DistinctTable table = new(Key, precision), batched = new(Key, precision);
        List<ulong> ids = [], hashes = [];
        for (int n = 0; n < sizes.Max(); n++)
        {
            for (int c = 0; c < sizes.Length; c++)
            {
                if (n < sizes[c])
                {
                    ids.AddRange([Id(c), Id(c)]);
                    hashes.AddRange([Hash(c, n), Hash(c, n / 2)]); // and a repeat
                }
            }
        }

        for (int i = 0; i < ids.Count; i++)
            table.Add(ids[i], hashes[i]);
        for (int start = 0, length = 1; start < ids.Count; start += length, length = length * 3 % 4_001)
            batched.Add(ids.Slice(start, Math.Min(length, ids.Count - start)).ToArray(), hashes.Slice(start, Math.Min(length, ids.Count - start)).ToArray());

        Assert.Equal(sizes.Count(s => s > 0), table.Count);
        Assert.Equal((table.Count, table.MemoryBytes), (batched.Count, batched.MemoryBytes));
        for (int c = 0; c < sizes.Length; c++)
        {
            if (sizes[c] == 0)
            {
                Assert.Null(table.Get(Id(c)));
                continue;
            }

            HyperLogLog single = Single(c, sizes[c], precision);
            Assert.Equal(Bytes(single), Bytes(table.Get(Id(c))!));
            Assert.Equal(Bytes(single), Bytes(batched.Get(Id(c))!));
            Assert.Equal(single.Estimate(), table.Estimate(Id(c)));
            Assert.Equal(single.ChangeProbability, table.Get(Id(c))!.ChangeProbability);
        }
    }

    [Fact]
    public void Adding_tells_what_a_martingale_needs()
    {
        DistinctTable table = new(Key);
        HyperLogLog single = new(Key.KeyId);
        for (int n = 0; n < 20_000; n++)
        {
            ulong hash = Hash(1, n / 2);
            double before = single.ChangeProbability;
            Assert.Equal(single.Add(hash), table.Add(Id(1), hash, out double probability));
            Assert.Equal(before, probability);
        }
    }

    [Fact]
    public void A_million_counters_of_Zipf_cardinalities_take_less_than_a_hundred_megabytes()
    {
        const int Counters = 1_000_000, Largest = 694_800; // 10 million elements in all
        DistinctTable table = new(Key);
        ulong[] ids = new ulong[1 << 16], hashes = new ulong[1 << 16];
        int filled = 0;
        long elements = 0, before = GC.GetAllocatedBytesForCurrentThread();
        for (int counter = 0; counter < Counters; counter++)
        {
            int size = Math.Max(1, Largest / (counter + 1));
            elements += size;
            for (int n = 0; n < size; n++)
            {
                (ids[filled], hashes[filled]) = (Id(counter), Hash(counter, n));
                if (++filled == ids.Length)
                {
                    table.Add(ids, hashes);
                    filled = 0;
                }
            }
        }

        table.Add(ids.AsSpan(0, filled), hashes.AsSpan(0, filled));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(elements, 9_500_000, 10_500_000);
        Assert.Equal(Counters, table.Count);
        Assert.InRange(table.MemoryBytes, 40_000_000, 60_000_000);
        // What is counted is what the heap gave: the rest are the index's and the lists' smaller selves of before.
        Assert.InRange(allocated, table.MemoryBytes, table.MemoryBytes + 20_000_000);

        foreach (int counter in (int[])[0, 1, 10, 900, 1_000, 50_000, 200_000, 999_999])
        {
            int size = Math.Max(1, Largest / (counter + 1));
            Assert.Equal(Bytes(Single(counter, size, 12)), Bytes(table.Get(Id(counter))!));
        }
    }

    [Fact]
    public void Blocks_that_counters_left_serve_others()
    {
        DistinctTable table = new(Key);
        for (int n = 0; n < 700; n++)
            table.Add(Id(0), Hash(0, n));
        long one = table.MemoryBytes;
        // All blocks of 2 to 512 tokens are free again, one of each: another counter can grow without more memory, but for its last.
        for (int n = 0; n < 500; n++)
            table.Add(Id(1), Hash(1, n));
        Assert.Equal(one, table.MemoryBytes);
        for (int n = 0; n < 700; n++)
            Assert.False(table.Add(Id(0), Hash(0, n)));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 5)]
    [InlineData(5, 900)]
    [InlineData(900, 5)]
    [InlineData(900, 30_000)]
    [InlineData(30_000, 900)]
    public void A_merged_state_is_as_if_its_elements_had_been_added(int inTable, int inState)
    {
        DistinctTable table = new(Key);
        for (int n = 0; n < inTable; n++)
            table.Add(Id(1), Hash(1, n));
        HyperLogLog state = new(Key.KeyId);
        for (int n = inTable / 2; n < inTable / 2 + inState; n++)
            state.Add(Hash(1, n));
        table.Merge(Id(1), state);
        HyperLogLog expected = Single(1, inTable, 12);
        expected.Merge(state);
        Assert.Equal(Bytes(expected), Bytes(table.Get(Id(1))!));
        Assert.Equal(expected.Add(Hash(1, 99_999)), table.Add(Id(1), Hash(1, 99_999), out double probability));
        Assert.InRange(probability, 0, 1);
        Assert.Equal(Bytes(expected), Bytes(table.Get(Id(1))!));
    }

    [Fact]
    public void Another_key_or_precision_is_refused()
    {
        DistinctTable table = new(Key);
        Assert.StartsWith("keyId is 0000000000000007", Assert.Throws<ArgumentException>(() => table.Merge(1, new HyperLogLog(7))).Message, StringComparison.Ordinal);
        Assert.StartsWith("precision is 13; allowed 12", Assert.Throws<ArgumentException>(() => table.Merge(1, new HyperLogLog(Key.KeyId, 13))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new DistinctTable(Key, 3));
        Assert.Throws<ArgumentException>(() => table.Add([1, 2], [1]));
    }

    [Fact]
    public async Task Readers_beside_the_writer_see_states_between_what_was_and_what_is()
    {
        const int Counters = 64, Rounds = 3_000;
        DistinctTable table = new(Key);
        int finished = 0;
        Task[] readers = [.. Enumerable.Range(0, 2).Select(r => Task.Run(() =>
        {
            Random random = new(r);
            long reads = 0;
            while (Volatile.Read(ref finished) < Rounds || reads < 1_000)
            {
                int counter = random.Next(Counters);
                int least = Volatile.Read(ref finished);
                HyperLogLog? seen = table.Get(Id(counter));
                int most = Volatile.Read(ref finished) + 1;
                reads++;
                if (seen is null)
                {
                    Assert.Equal(0, least);
                    continue;
                }

                // Whatever it is, it holds all elements of the rounds that were finished, and none but its own.
                HyperLogLog low = Single(counter, least, 12), high = Single(counter, Math.Min(most, Rounds), 12);
                HyperLogLog union = Single(counter, least, 12);
                union.Merge(seen);
                Assert.Equal(union.Estimate(), seen.Estimate());
                high.Merge(seen);
                Assert.Equal(Single(counter, Math.Min(most, Rounds), 12).Estimate(), high.Estimate());
                // A read of its own: the counter may have left its tokens for registers since, whose estimate is within 2 % of them here.
                Assert.True(table.Estimate(Id(counter)) >= low.Estimate() * 0.9);
            }
        }))];
        for (int n = 0; n < Rounds; n++)
        {
            for (int counter = 0; counter < Counters; counter++)
                table.Add(Id(counter), Hash(counter, n));
            Volatile.Write(ref finished, n + 1);
            if (n % 50 == 0)
                Thread.Yield();
        }

        await Task.WhenAll(readers);
    }

    [Fact]
    public void Counters_come_and_go_and_their_memory_serves_others()
    {
        // Sizes from one element to dense, by turns; every state stays that of a single one.
        const int Counters = 3_000;
        int[] sizes = [1, 2, 5, 40, 300, 767, 768, 2_000];
        DistinctTable table = new(Key);
        Random random = new(11);
        Dictionary<int, int> there = [];
        long most = 0;
        for (int round = 0; round < 6; round++)
        {
            for (int i = 0; i < Counters; i++)
            {
                int counter = (round * Counters) + i, size = sizes[counter % sizes.Length];
                for (int n = 0; n < size; n++)
                    table.Add(Id(counter), Hash(counter, n));
                there[counter] = size;
            }

            Assert.Equal(there.Count, table.Count);
            foreach (int counter in there.Keys.Order().Where(_ => random.Next(50) == 0))
            {
                Assert.True(table.TryGetNumber(Id(counter), out int number));
                Assert.InRange(number, 0, table.Numbers - 1);
                HyperLogLog single = Single(counter, there[counter], 12);
                Assert.Equal(Bytes(single), Bytes(table.Get(Id(counter))!));
                Assert.Equal(single.ChangeProbability, table.ChangeProbability(Id(counter)));
            }

            ulong[] ids = new ulong[table.Count + 1];
            Assert.Equal(there.Keys.Select(Id).Order(), ids.Take(table.CopyIds(ids)).Order());
            foreach (int counter in there.Keys.ToArray())
            {
                Assert.True(table.Remove(Id(counter)));
                there.Remove(counter);
            }

            Assert.False(table.Remove(Id(round)));
            Assert.Equal((0, 0.0, 1.0), (table.Count, table.Estimate(Id(round)), table.ChangeProbability(Id(round))));
            Assert.Null(table.Get(Id(round)));
            most = round == 0 ? table.MemoryBytes : most;
            Assert.Equal((most, Counters), (table.MemoryBytes, table.Numbers));
        }
    }

    [Fact]
    public async Task Readers_beside_removals_see_one_counter_only()
    {
        // Two counters take turns in the same entry and blocks. Whatever a reader gets holds elements of the counter it asked for, from the first on.
        DistinctTable table = new(Key);
        HyperLogLog[] whole = [Single(0, 600, 12), Single(1, 600, 12)];
        bool done = false;
        Task<int> reader = Task.Run(() =>
        {
            int seen = 0;
            for (int round = 0; !Volatile.Read(ref done) || seen < 100; round++)
            {
                int counter = round % 2;
                double estimate = table.Estimate(Id(counter));
                Assert.InRange(estimate, 0, 601);
                if (table.Get(Id(counter)) is not { } state)
                    continue;
                HyperLogLog union = Single(counter, 600, 12);
                union.Merge(state);
                Assert.Equal(whole[counter].Estimate(), union.Estimate());
                seen++;
            }

            return seen;
        });
        for (int round = 0; round < 6_000; round++)
        {
            int counter = round % 2;
            for (int n = 0; n < 600; n++)
                table.Add(Id(counter), Hash(counter, n));
            if (round % 20 == 0)
                Thread.Yield();
            if (round < 5_998)
                table.Remove(Id(counter));
        }

        Volatile.Write(ref done, true);
        Assert.True(await reader >= 100);
    }

    [Fact]
    public void A_table_with_room_adds_without_allocating()
    {
        DistinctTable table = new(Key);
        ulong[] ids = [.. Enumerable.Range(0, 2_000).Select(i => Id(i % 50))], hashes = [.. Enumerable.Range(0, 2_000).Select(i => Hash(i % 50, i))];
        table.Add(ids, hashes);
        Assert.Equal(0, Allocations.Least(() => table.Add(ids, hashes)));
    }

    [Fact]
    public void A_cleared_table_is_as_new()
    {
        DistinctTable table = new(Key);
        long empty = table.MemoryBytes;
        for (int n = 0; n < 10_000; n++)
            table.Add(Id(n % 100), Hash(n % 100, n));
        ulong[] ids = new ulong[200];
        Assert.Equal(100, table.CopyIds(ids));
        Assert.Equal(Enumerable.Range(0, 100).Select(Id), ids.Take(100));
        table.Clear();
        Assert.Equal((0, empty, 0.0), (table.Count, table.MemoryBytes, table.Estimate(Id(1))));
        table.Add(Id(1), Hash(1, 1));
        Assert.Equal(Bytes(Single(1, 0, 12)).Length + 4, Bytes(table.Get(Id(1))!).Length);
    }
}
