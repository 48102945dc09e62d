using System.Text;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Tables;
using Sketch.Engine.Totals;

namespace Sketch.Tests.Engine;

/// <summary>The table of counters against a dictionary: in memory, on the way out, out, and back.</summary>
public partial class CounterTableTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    [Fact]
    public void Counters_are_found_with_their_namespace_name_and_marks_while_the_table_grows()
    {
        CounterTable table = new(Secret, 1 << 30);
        for (int i = 0; i < 20_000; i++)
        {
            Assert.True(table.GetOrAdd(Id(i), (ushort)(i % 700), Name(i), out bool added).Is((ushort)(i % 700), Name(i)));
            Assert.True(added);
            if (i % 2 == 0)
            {
                table.Mark(Id(i), defined: i % 4 == 0);
            }
        }

        ulong[] ids = [.. Enumerable.Range(0, 20_000).Select(Id), 5];
        long[] references = new long[ids.Length];
        table.Find(ids, references);
        Assert.Equal(0, references[^1]);
        Assert.False(table.TryGet(5, out _));
        for (int i = 0; i < 20_000; i++)
        {
            Assert.True(table.TryGet(ids[i], out NameEntry entry));
            Assert.Equal(((ushort)(i % 700), i % 2 == 0, i % 4 == 0), (entry.NamespaceIndex, entry.IsDeclared, entry.IsDefined));
            Assert.True(entry.Is((ushort)(i % 700), Name(i)));
            Assert.False(entry.Is((ushort)(i % 700), Name(i + 1)));
            Assert.False(entry.Is((ushort)((i % 700) + 1), Name(i)));
            Assert.Equal(i % 4 == 2, NameEntry.UsualPart(references[i]) == NameEntry.Usual((ushort)(i % 700)));
        }
    }

    [Fact]
    public void A_reader_of_the_totals_sees_a_checkpoint_only_from_its_epoch_on()
    {
        Random random = new(5);
        CounterTable table = new(Secret, 1 << 30);
        Dictionary<ulong, long> truth = [];
        for (int i = 0; i < 3_000; i++)
        {
            table.GetOrAdd(Id(i), 0, Name(i), out _);
        }

        for (long epoch = 1; epoch <= 60; epoch++)
        {
            Dictionary<ulong, long> window = [];
            for (int i = 0; i < 200; i++)
            {
                window[Id(random.Next(3_000))] = random.Next(-50, 100);
            }

            DeltaColumns deltas = Columns(window);
            table.Apply(deltas, epoch);
            Assert.All(window.Keys, id => Assert.Equal(truth.GetValueOrDefault(id), At(table, id, epoch - 1)));
            foreach ((ulong id, long delta) in window)
            {
                truth[id] = truth.GetValueOrDefault(id) + delta;
            }

            Assert.All(truth, t => Assert.Equal(t.Value, At(table, t.Key, epoch)));
            table.Finish(deltas);
            Assert.All(truth, t => Assert.Equal(t.Value, At(table, t.Key, epoch)));
        }

        Assert.Equal(
            truth.Where(t => t.Value != 0).OrderBy(t => t.Key),
            Totals(table).Where(t => t.Value != 0).OrderBy(t => t.Key));
    }

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(1_150_000)]
    public void A_counter_takes_32_bytes_with_all_that_belongs_to_it(int counters)
    {
        CounterTable table = new(Secret, 1 << 30);
        table.FinishLoading();
        for (int i = 0; i < counters; i++)
        {
            table.GetOrAdd((ulong)(i + 1) * 0x9E3779B97F4A7C15, 3, "a name that takes no memory"u8, out _);
        }

        Assert.InRange((double)table.MemoryBytes / counters, 24, 42); // with room for those to come
        table.Fit();
        table.Fit();
        Assert.InRange((double)table.MemoryBytes / counters, 24, 32.5);
        Assert.Equal(counters, table.Hot);
    }

    [Fact]
    public void Counters_out_of_memory_are_known_take_ten_bytes_and_come_back_with_their_totals()
    {
        const int Counters = 60_000;
        CounterTable table = new(Secret, 10_000 * 30);
        Dictionary<ulong, long> gone = [];
        table.Leaves = (owner, total) => gone[(ulong)total] = owner;
        for (int i = 0; i < Counters; i++)
        {
            Assert.Equal(1, LoadName(table, i, (ushort)(i % 7)));
        }

        for (int i = 0; i < Counters; i++)
        {
            LoadTotal(table, i, (ushort)(i % 7), i + 1);
        }

        Assert.True(gone.Remove(0)); // when it was named
        table.FinishLoading();
        Assert.Equal((10_000, Counters - 10_000), (table.Hot, table.Cold));
        Assert.InRange(table.MemoryBytes, (10_000 * 24) + ((Counters - 10_000) * 10), (10_000 * 34) + ((Counters - 10_000) * 10));
        Assert.All(gone, g => Assert.Equal((long)(g.Key - 1) % 7, g.Value));

        Dictionary<ulong, long> cold = [];
        for (int i = 0; i < Counters; i++)
        {
            Assert.True(table.TryGet(Id(i), out NameEntry entry));
            Assert.True(entry.Is((ushort)(i % 7), Name(i)) && entry.IsDeclared && !entry.IsDefined);
            Assert.False(entry.Is((ushort)((i % 7) + 1), Name(i)));
            if (table.At(Id(i), 0, out long total))
            {
                Assert.Equal(i + 1, total);
            }
            else
            {
                cold.Add(Id(i), i + 1);
            }
        }

        Assert.Equal(Counters - 10_000, cold.Count);
        int passed = Enumerable.Range(0, Counters).Count(i => table.TryGet(Id(i), out NameEntry e) && e.Is((ushort)(i % 7), Name(i + 1)));
        Assert.InRange(passed, 0, 6); // 2^-16 of 50,000 pass for another name; seven or more is one in 30,000
        Assert.False(table.TryGet(12_345, out _));

        table.Return(cold, epoch: 0, wereCounted: false);
        Assert.All(cold, c => Assert.Equal(c.Value, At(table, c.Key, 0)));
        table.Trim();
        Assert.InRange(table.Hot, 9_000, 10_000);
        Assert.All(Enumerable.Range(0, Counters), i => Assert.True(table.TryGet(Id(i), out _)));
    }

    [Fact]
    public void What_is_used_stays_and_what_the_store_does_not_have_never_leaves()
    {
        CounterTable table = new(Secret, 1_000 * 30);
        DeltaColumns used = Columns(Enumerable.Range(0, 300).ToDictionary(Id, _ => 1L));
        for (int i = 0; i < 4_000; i++)
        {
            table.GetOrAdd(Id(i), 0, Name(i), out _);
            table.Mark(Id(i), defined: i is >= 3_000 and < 3_050);
        }

        table.Evict();
        Assert.Equal(4_000, table.Hot);

        // Stored but for the last fifty; a hundred more are among the heaviest.
        table.Stored([.. Enumerable.Range(0, 3_950).Select(i => new NamedCounter("n", $"name {i}", Id(i), "sum", "eventual", new Dictionary<string, string>()))]);
        table.Pin(Enumerable.Range(2_000, 100).Select(Id), stays: true);
        for (long epoch = 1; epoch <= 5; epoch++)
        {
            table.Apply(used, epoch);
            table.Evict();
            Assert.True(epoch > 1 || table.Hot == 4_000, "not while a checkpoint settles");
            table.Finish(used);
            table.Evict();
            Assert.InRange(table.Hot, 500, 1_000);
            foreach (int i in (IEnumerable<int>)[.. Enumerable.Range(0, 300), .. Enumerable.Range(2_000, 100), .. Enumerable.Range(3_000, 50), .. Enumerable.Range(3_950, 50)])
            {
                Assert.True(table.At(Id(i), epoch, out long total), $"{i} left");
                Assert.Equal(i < 300 ? epoch : 0, total);
            }

            // Others are read and come back; they leave again first.
            table.Return(Enumerable.Range(1_000, 100).ToDictionary(Id, _ => 0L), epoch, wereCounted: false);
            table.Evict();
        }
    }

    [Fact]
    public void Many_are_found_at_once_like_each_alone_wherever_they_are()
    {
        const int Counters = 5_000;
        CounterTable table = new(Secret, 2_000 * 30);
        for (int i = 0; i < Counters; i++)
        {
            LoadName(table, i, (ushort)(i % 700));
        }

        table.FinishLoading();
        Assert.InRange(table.Cold, 2_500, 3_500);
        table.MarkRemoved(Id(3), isStored: false);
        ulong[] ids = [.. Enumerable.Range(0, Counters + 500).Select(Id), 0, 1];
        new Random(2).Shuffle(ids);
        long[] references = new long[ids.Length];
        table.Find(ids, references);
        for (int i = 0; i < ids.Length; i++)
        {
            bool isKnown = table.TryGet(ids[i], out NameEntry entry);
            Assert.Equal(isKnown, references[i] != 0);
            Assert.True(!isKnown || NameEntry.UsualPart(references[i]) == NameEntry.Usual(entry.NamespaceIndex) == entry.IsDeclared);
            Assert.True(!isKnown || (ushort)(references[i] >>> NameEntry.NamespaceShift) == entry.NamespaceIndex);
        }
    }

    [Theory]
    [InlineData(64)]
    [InlineData(12)]
    public void Many_cold_counters_are_found_at_once_like_each_alone(int bits)
    {
        // With twelve bits of them random the numbers lie together, where guesses are far off.
        Random random = new(11);
        ulong[] mixed = [.. Enumerable.Range(0, 60_000).Select(_ => (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> (64 - bits) << 10).Distinct().Order()];
        ColdCounters cold = new();
        foreach (IGrouping<int, ulong> run in mixed.Where((_, i) => i % 3 != 0).GroupBy(m => (int)(m >> (64 - ColdCounters.RunBits))))
        {
            cold.Merge(run.Key, run.Select(m => (m, ((long)(m / 1_024 % 700) << NameEntry.NamespaceShift) | (2L * (long)(m / 1_024 % 997)))).ToArray(), null);
        }

        ulong[] asked = [.. mixed, 0, 1, ulong.MaxValue];
        random.Shuffle(asked);
        long[] found = new long[IdLines.Together];
        foreach (ulong[] some in asked.Chunk(IdLines.Together))
        {
            cold.Find(some, found);
            Assert.Equal(some.Select(cold.Find), found[..some.Length]);
        }

        Assert.Equal(mixed.Where((_, i) => i % 3 != 0).Count(), asked.Count(m => cold.Find(m) != 0));
    }

    [Fact]
    public void What_a_window_counted_four_times_as_often_as_its_others_is_to_come_back()
    {
        const int Counters = 40_000;
        CounterTable table = new(Secret, 10_000 * 30);
        for (int i = 0; i < Counters; i++)
        {
            LoadName(table, i, 0);
            LoadTotal(table, i, 0, 1);
        }

        table.FinishLoading();
        ulong[] ids = [.. Enumerable.Range(0, Counters).Select(Id).Order()];
        ulong[] cold = [.. ids.Where(id => !table.At(id, 0, out _))];
        Assert.True(cold.Length > 20_000);

        // Eight counters get 100 times as much as the others, four of them are in memory; 1.5 on average, of which six is four times as much.
        ulong[] often = [.. cold.Take(4), .. ids.Except(cold).Take(4)];
        long[] sums = [.. ids.Select((id, i) => often.Contains(id) ? 100L : 1 + (i % 2))];
        Assert.Equal(cold.Take(4), OftenCounted.In(table, 0, new DeltaRun("n", ids, sums)).Order());
        Assert.Equal([cold[7]], OftenCounted.In(table, 0, new DeltaRun("n", (ulong[])[cold[6], cold[7], .. ids[..14]], (long[])[7, 8, .. Enumerable.Repeat(1L, 14)])));

        // Of 3,000 the most counted come, as many as there is room for.
        sums = [.. ids.Select(id => Array.IndexOf(cold, id) is >= 0 and < 3_000 and int at ? 1_000L + at : 1)];
        Assert.Equal(cold[(3_000 - OftenCounted.Most)..3_000], OftenCounted.In(table, 0, new DeltaRun("n", ids, sums)).Order());
        Assert.Empty(OftenCounted.In(table, 0, new DeltaRun("n", cold.AsMemory(0, 2), (long[])[1L << 61, 1L << 61])));
    }

    [Fact]
    public void What_leaves_by_and_by_leaves_from_all_over_the_table()
    {
        const int Step = 2_000;
        CounterTable table = new(Secret, 20_000 * 30);
        IdMixer mixer = new(Secret);
        for (int from = 0; from < 50 * Step; from += Step)
        {
            for (int i = from; i < from + Step; i++)
            {
                table.GetOrAdd(Id(i), 0, Name(i), out _);
                table.Mark(Id(i), defined: false);
            }

            table.Stored([.. Enumerable.Range(from, Step).Select(i => new NamedCounter("n", $"name {i}", Id(i), "sum", "eventual", new Dictionary<string, string>()))]);
            table.Evict();
        }

        ulong[] places = [.. Enumerable.Range(0, 50 * Step).Select(Id).Where(id => table.At(id, 0, out _)).Select(id => mixer.Mix(id) << CounterTable.SegmentBits)];
        Assert.InRange(places.Length, 15_000, 20_000);

        // Of 15,000 or more in eight equal parts, one is off by an eighth of its share by chance less than once in a million runs; the ids are fixed besides.
        foreach (IGrouping<ulong, ulong> part in places.GroupBy(p => p >> 61))
        {
            Assert.InRange(part.Count(), places.Length / 8 * 7 / 8, places.Length / 8 * 9 / 8);
        }
    }

    [Fact]
    public void A_total_that_was_read_before_a_checkpoint_does_not_come_back_after_it()
    {
        CounterTable table = new(Secret, 0);
        LoadName(table, 1, 0);
        LoadTotal(table, 1, 0, 5);
        table.FinishLoading();
        DeltaColumns window = Columns(new() { [Id(1)] = 2 });
        table.Apply(window, 1);
        table.Return(new Dictionary<ulong, long> { [Id(1)] = 5 }, epoch: 0, wereCounted: false);
        Assert.False(table.At(Id(1), 0, out _));
        table.Return(new Dictionary<ulong, long> { [Id(1)] = 7 }, epoch: 1, wereCounted: false); // settling: readers of before would see it too
        Assert.False(table.At(Id(1), 1, out _));
        table.Finish(window);
        table.Return(new Dictionary<ulong, long> { [Id(1)] = 5 }, epoch: 0, wereCounted: false);
        Assert.False(table.At(Id(1), 1, out _));
        table.Return(new Dictionary<ulong, long> { [Id(1)] = 7 }, epoch: 1, wereCounted: false);
        Assert.Equal(7, At(table, Id(1), 1));
    }

    [Fact]
    public void A_deleted_counter_is_forgotten_once_that_is_stored_and_its_id_is_free()
    {
        CounterTable table = new(Secret, 0);
        for (int i = 0; i < 2_000; i++)
        {
            LoadName(table, i, 0);
            LoadTotal(table, i, 0, 5);
        }

        table.FinishLoading();
        Assert.Equal((0, 2_000), (table.Hot, table.Cold));
        table.MarkRemoved(Id(7), isStored: false);
        Assert.True(table.TryGet(Id(7), out NameEntry entry) && entry.IsRemoved && !entry.IsDeclared && table.IsRemoved(Id(7)));
        Assert.False(table.At(Id(7), 0, out _));
        table.Evict();
        Assert.Equal(1, table.Hot);

        table.Stored([new NamedCounter("n", "name 7", Id(7), "sum", "eventual", new Dictionary<string, string>()) { Deleted = true }]);
        Assert.False(table.TryGet(Id(7), out _));
        Assert.Equal(0, At(table, Id(7), 0));
        table.Evict();
        Assert.Equal((0, 1_999), (table.Hot, table.Cold));
        Assert.False(table.TryGet(Id(7), out _));
        Assert.True(table.GetOrAdd(Id(7), 1, "another name"u8, out bool added).Is(1, "another name"u8));
        Assert.True(added);
    }

    [Fact]
    public void The_same_work_evicts_the_same_counters()
    {
        static ulong[] Run()
        {
            CounterTable table = new(Secret, 3_000 * 30);
            for (int i = 0; i < 10_000; i++)
            {
                table.GetOrAdd(Id(i), 0, Name(i), out _);
                table.Mark(Id(i), defined: false);
            }

            table.Stored([.. Enumerable.Range(0, 10_000).Select(i => new NamedCounter("n", $"name {i}", Id(i), "sum", "eventual", new Dictionary<string, string>()))]);
            table.Evict();
            return [.. Enumerable.Range(0, 10_000).Select(Id).Where(id => table.At(id, 0, out _))];
        }

        ulong[] stayed = Run();
        Assert.InRange(stayed.Length, 2_000, 3_000);
        Assert.Equal(stayed, Run());
    }

    [Fact]
    public async Task Readers_never_miss_a_counter_or_see_a_wrong_total_while_everything_moves()
    {
        CounterTable table = new(Secret, 500 * 30);
        const int Counters = 2_000;
        for (int i = 0; i < Counters; i++)
        {
            LoadName(table, i, 0);
            LoadTotal(table, i, 0, 0);
        }

        table.FinishLoading();
        long published = 0;
        bool done = false;
        Task reader = Task.Run(() =>
        {
            Random random = new(1);
            long seen = 0;
            while (!Volatile.Read(ref done) || seen < 1_000)
            {
                ulong id = Id(random.Next(Counters));
                Assert.True(table.TryGet(id, out NameEntry entry) && entry.IsDeclared);
                long epoch = Volatile.Read(ref published);
                bool isHot = table.At(id, epoch, out long total);
                if (isHot && epoch == Volatile.Read(ref published))
                {
                    Assert.Equal(epoch, total);
                    seen++;
                }
            }
        });

        // Each checkpoint adds one to every counter: a total is the epoch.
        DeltaColumns all = Columns(Enumerable.Range(0, Counters).ToDictionary(Id, _ => 1L));
        Random random = new(2);
        for (long epoch = 1; epoch <= 300 || !reader.IsCompleted; epoch++)
        {
            table.Apply(all, epoch);
            Volatile.Write(ref published, epoch);
            table.Finish(all);
            table.Return(Enumerable.Range(0, 300).Select(_ => Id(random.Next(Counters))).Distinct().ToDictionary(id => id, _ => epoch), epoch, wereCounted: false);
            table.Evict();
            table.GetOrAdd(Id(100_000 + (int)epoch), 0, Name(1), out _);
            done = epoch >= 300;
        }

        await reader;
    }

    [Fact]
    public async Task Many_ids_are_found_while_their_segments_are_replaced_and_collected()
    {
        CounterTable table = new(Secret, 1L << 30);
        const int Counters = 3_000;
        ulong[] ids = [.. Enumerable.Range(0, Counters).Select(Id)];
        for (int i = 0; i < Counters; i++)
        {
            table.GetOrAdd(ids[i], 3, Name(i), out _);
        }

        long[] expected = new long[Counters];
        table.Find(ids, expected);
        Assert.DoesNotContain(0, expected);
        using CancellationTokenSource done = new();
        Task reader = Task.Run(() =>
        {
            long[] found = new long[Counters];
            while (!done.IsCancellationRequested)
            {
                table.Find(ids, found);
                Assert.Equal(expected, found);
            }
        });

        for (int round = 1; round <= 60 && !reader.IsCompleted; round++)
        {
            for (int i = 0; i < 500; i++)
            {
                table.GetOrAdd(Id((round * Counters) + i), 4, Name(i), out _);
            }

            table.Fit();
            GC.Collect();
        }

        await done.CancelAsync();
        await reader;
    }

    private static long At(CounterTable table, ulong id, long epoch)
    {
        Assert.True(table.At(id, epoch, out long total));
        return total;
    }

    private static DeltaColumns Columns(Dictionary<ulong, long> window) => [.. window.OrderBy(w => w.Key).Select(w => new DeltaRow("n", w.Key, w.Value))];

    private static int LoadName(CounterTable table, int i, ushort namespaceIndex, bool isDeleted = false) =>
        table.LoadNames(namespaceIndex, NamesInOnePiece.Of("n", [$"name {i}"], isDeleted));

    // Those of whom there is no room for it.
    private static List<StoredTotal> LoadTotal(CounterTable table, int i, ushort namespaceIndex, long total)
    {
        List<StoredTotal> outside = [];
        table.LoadTotals(namespaceIndex, [Id(i)], [total], outside);
        return outside;
    }

    private static Dictionary<ulong, long> Totals(CounterTable table)
    {
        Dictionary<ulong, long> totals = [];
        table.EachTotal((id, _, total) => totals.Add(id, total));
        return totals;
    }

    private static byte[] Name(int i) => Encoding.UTF8.GetBytes($"name {i}");

    private static ulong Id(int i) => CounterId.Of("n:"u8, Name(i));
}
