using Sketch.Engine.Checkpoints;
using Sketch.Engine.Increments;
using Sketch.Engine.Tables;

namespace Sketch.Tests.Engine;

/// <summary>The tables by id against a dictionary.</summary>
public class TableTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    [InlineData(100_000)]
    public void A_delta_table_holds_what_was_added_and_gives_it_back_sorted(int ids)
    {
        Random random = new(ids);
        DeltaTable table = new();
        SortedDictionary<ulong, long> truth = [];
        ulong[] some = [.. Enumerable.Range(0, ids).Select(_ => (ulong)random.NextInt64(1, long.MaxValue) << random.Next(2))];
        for (int i = 0; i < ids * 3; i++)
        {
            ulong id = some[random.Next(ids)];
            table.Add<long>([id], [i]);
            truth[id] = truth.GetValueOrDefault(id) + i;
        }

        AssertHolds(truth, table);
        Assert.False(table.TryGet(ids == 0 ? 1 : truth.Keys.Last() - 1, out _));
        table.Clear();
        Assert.Equal((0, 0), (table.Count, table.Sorted().Ids.Length));
    }

    [Fact]
    public void Ids_that_somebody_chose_to_lie_together_are_found_as_fast_as_others()
    {
        DeltaTable table = new();
        SortedDictionary<ulong, long> truth = [];
        Random random = new(7);
        foreach (ulong home in (ulong[])[0, 1UL << 40, ulong.MaxValue - 5_000])
        {
            for (int i = 0; i < 2_000; i++)
            {
                ulong id = home + (ulong)random.Next(1, 5_000);
                table.Add<long>([id], [1]);
                truth[id] = truth.GetValueOrDefault(id) + 1;
            }
        }

        AssertHolds(truth, table);
        int[] homes = [.. truth.Keys.Select(id => IdHome.In(1 << 20).Of(id) >> 10)];
        // Of 1,024 parts; without a key these ids reach six at most. The worst of 20,000 keys (the key is the process's) reached 996.
        Assert.True(homes.Distinct().Count() > 900, "homes of neighbouring ids lie all over the table");
    }

    [Fact]
    public void Ids_whose_line_is_full_lie_in_the_next_one_around_the_end()
    {
        IdLines lines = new(3 * IdLines.Width);
        for (ulong id = 1; id <= 6; id++)
        {
            int free = lines.Find(id, 2);
            Assert.True(free < 0, "not there yet");
            lines.Fill(~free, id, (long)id * 10);
        }

        int[] found = [.. Enumerable.Range(1, 6).Select(id => lines.Find((ulong)id, 2))];
        Assert.Equal([8, 9, 10, 11, 0, 1], found);
        Assert.Equal([10L, 20, 30, 40, 50, 60], found.Select(slot => lines.Number(slot)));
        Assert.Equal(~2, lines.Find(7, 2));
        Assert.Equal([5ul, 6, 0], Enumerable.Range(0, 3).Select(lines.Id));
        lines.Clear();
        Assert.Equal(~8, lines.Find(1, 2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65)]
    [InlineData(1_000)]
    public void Many_ids_are_found_where_each_alone_is(int count)
    {
        // Nearly full, so that most ids are not in the line where they are looked for first, and many go on around the end.
        IdLines lines = new(40 * IdLines.Width);
        Random random = new(count);
        ulong[] there = [.. Enumerable.Range(0, (40 * IdLines.Width) - 1).Select(_ => (ulong)random.NextInt64(1, long.MaxValue))];
        foreach (ulong id in there)
        {
            lines.Fill(~lines.Find(id, Searched.Home(id, lines)), id, (long)id);
        }

        ulong[] ids = [.. Enumerable.Range(0, count).Select(i => i % 3 == 0 ? (ulong)random.NextInt64(1, long.MaxValue) : there[random.Next(there.Length)])];
        int[] slots = new int[count];
        Searched table = new(lines, slots);
        IdSearch.Each(ids, table);
        GC.KeepAlive(lines);
        Assert.Equal(ids.Select(id => lines.Find(id, Searched.Home(id, lines))), slots);
    }

    [Theory]
    [InlineData(2_049)]
    [InlineData(100_000)]
    public void Ids_are_sorted_with_their_values(int rows)
    {
        Random random = new(rows);
        ulong[] ids = [.. Enumerable.Range(0, rows).Select(i => i % 3 == 0 ? (ulong)i : (ulong)random.NextInt64(long.MinValue, long.MaxValue))];
        long[] values = [.. ids.Select(id => (long)~id)];
        ulong[] expected = [.. ids.Order()];
        new IdSort().Sort(ids, values);
        Assert.Equal(expected, ids);
        Assert.Equal(expected.Select(id => (long)~id), values);
    }

    [Fact]
    public void Ids_with_equal_upper_halves_are_sorted_too()
    {
        Random random = new(1);
        ulong[] uppers = [0, 5ul << 32, ulong.MaxValue << 32];
        ulong[] ids = [.. Enumerable.Range(0, 30_000).Select(i => uppers[i % 3] | (i % 7 == 0 ? (uint)(i % 50) : (uint)random.NextInt64(1L << 32)))];
        long[] values = [.. ids.Select(id => (long)~id)];
        ulong[] expected = [.. ids.Order()];
        new IdSort().Sort(ids, values);
        Assert.Equal(expected, ids);
        Assert.Equal(expected.Select(id => (long)~id), values);
    }

    [Fact]
    public void Batches_of_either_width_add_like_single_calls()
    {
        DeltaTable single = new(), wide = new(), narrow = new(), telling = new();
        Random random = new(3);
        ulong[] ids = [.. Enumerable.Range(0, 5_000).Select(_ => (ulong)random.Next(1, 900) * 0x9E3779B97F4A7C15)];
        uint[] deltas = [.. ids.Select(_ => (uint)random.Next())];
        long[] running = new long[ids.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            single.Add<long>([ids[i]], [deltas[i]]);
            Assert.True(single.TryGet(ids[i], out running[i]));
        }

        long[] sums = new long[ids.Length];
        telling.Add(ids, deltas.Select(d => (long)d).ToArray(), sums);
        Assert.Equal(running, sums);
        wide.Add(ids, deltas.Select(d => (long)d).ToArray());
        narrow.Add(ids, deltas);
        Assert.Equal(single.Sorted().Ids, wide.Sorted().Ids);
        Assert.Equal(single.Sorted().Deltas, wide.Sorted().Deltas);
        Assert.Equal(single.Sorted().Deltas, narrow.Sorted().Deltas);
        Assert.Equal(single.Sorted().Deltas, telling.Sorted().Deltas);
    }

    [Fact]
    public void Columns_of_rows_are_rows()
    {
        DeltaRow[] rows = [new("a", 3, 1), new("a", 9, -2), new("c", 1, 5)];
        DeltaColumns columns = [.. rows];
        Assert.Equal(rows, columns);
        Assert.Equal(rows, Enumerable.Range(0, columns.Count).Select(i => columns[i]));
        Assert.Equal([("a", 2), ("c", 1)], columns.Runs.Select(r => (r.Namespace, r.Ids.Length)));
        Assert.Equal((-2, 5, 0), (columns.Of(9), columns.Of(1), columns.Of(4)));
        Assert.Throws<ArgumentOutOfRangeException>(() => columns[3]);
    }

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(255u, 1)]
    [InlineData(256u, 2)]
    [InlineData(65_535u, 2)]
    [InlineData(65_536u, 4)]
    [InlineData(uint.MaxValue, 4)]
    public void A_column_takes_the_bytes_of_its_largest_number(uint largest, int bytes)
    {
        Assert.Equal(bytes, DeltaColumn.BytesFor(largest));
        uint[] numbers = [.. Enumerable.Range(0, 100).Select(i => (uint)(largest * (i / 99.0)))];
        numbers[41] = largest;
        foreach (int count in (int[])[0, 1, 15, 16, 17, 100])
        {
            byte[] column = new byte[(count * bytes) + 3];
            Assert.Equal(3, DeltaColumn.Narrow(numbers.AsSpan(0, count), bytes, column).Length);
            uint[] back = new uint[count];
            DeltaColumn.Widen(column.AsSpan(0, count * bytes), bytes, back);
            Assert.Equal(numbers[..count], back);
        }
    }

    private static void AssertHolds(SortedDictionary<ulong, long> truth, DeltaTable table)
    {
        (ulong[] ids, long[] deltas) = table.Sorted();
        Assert.Equal(truth.Keys, ids);
        Assert.Equal(truth.Values, deltas);
        Assert.All(truth, t => Assert.Equal((true, t.Value), (table.TryGet(t.Key, out long delta), delta)));
    }

    private readonly unsafe struct Searched(IdLines lines, int[] slots) : IIdTable
    {
        public static int Home(ulong id, IdLines lines) => (int)(id % (ulong)lines.Lines);

        public ulong* Home(ulong id) => IdLines.Ask(lines.Origin, Home(id, lines));

        public ulong* After(ulong id, ulong* line) => lines.AskAfter(line);

        public void Found(int index, ulong* slot) => slots[index] = lines.SlotOf((nint)slot);

        public void Missing(int index, ulong id, ulong* slot) => slots[index] = ~lines.SlotOf((nint)slot);
    }
}
