using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Totals;

namespace Sketch.Tests.Engine;

/// <content>What the store brings at a start.</content>
public partial class CounterTableTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(3_000)]
    [InlineData(1 << 20)]
    public void The_store_brings_many_counters_at_once_like_each_alone(long expected)
    {
        const int Counters = 5_000;
        static bool IsDeleted(int i) => i % 97 == 5;
        StoredNames[] names =
        [
            .. Enumerable.Range(0, Counters).GroupBy(IsDeleted).Select(some => NamesInOnePiece.Of("n", [.. some.Select(i => $"name {i}")], some.Key)),
        ];
        CounterTable together = new(Secret, 3_000 * 30);
        CounterTable alone = new(Secret, 3_000 * 30);
        foreach (int i in (int[])[1, 5, 9])
        {
            together.GetOrAdd(Id(i), 7, Name(i), out _); // a replay named them already
            alone.GetOrAdd(Id(i), 7, Name(i), out _);
        }

        together.Expect(expected);
        long[] totals = [.. Enumerable.Range(0, Counters + 40).Select(i => i < Counters ? i + 1L : 0)];
        Assert.Equal(Enumerable.Range(0, Counters).OrderBy(IsDeleted).Sum(i => LoadName(alone, i, 7, IsDeleted(i))), names.Sum(some => together.LoadNames(7, some)));
        List<StoredTotal> each = [.. totals.SelectMany((total, i) => LoadTotal(alone, i, 7, total))];
        List<StoredTotal> outside = [];
        together.LoadTotals(7, Enumerable.Range(0, totals.Length).Select(Id).ToArray(), totals, outside);
        Assert.True(together.HasLeft && alone.HasLeft);
        together.FinishLoading();
        alone.FinishLoading();
        Assert.Equal(each, outside);
        Assert.Equal(Counters - together.Hot, outside.Count);
        Assert.Equal((alone.Hot, alone.Cold), (together.Hot, together.Cold));
        Assert.InRange(together.MemoryBytes, together.Hot * 24, (together.Hot * 33) + (together.Cold * 10) + (32 * 16 * 24));
        for (int i = 0; i < Counters; i++)
        {
            Assert.True(together.TryGet(Id(i), out NameEntry entry) && alone.TryGet(Id(i), out NameEntry same) && entry.Is(7, Name(i)) && entry.IsRemoved == same.IsRemoved);
            Assert.Equal(IsDeleted(i) && i != 5, entry.IsRemoved); // the replay named that one again
            Assert.Equal(alone.At(Id(i), 0, out long one), together.At(Id(i), 0, out long other));
            Assert.Equal((one, one == 0 ? 0 : i + 1), (other, other));
        }
    }

    [Fact]
    public void What_a_replay_deleted_that_the_store_has_again_is_there_again()
    {
        CounterTable table = new(Secret, 1 << 20);
        foreach (int i in (int[])[1, 2])
        {
            table.GetOrAdd(Id(i), 0, Name(i), out _);
            table.Mark(Id(i), defined: true);
            table.MarkRemoved(Id(i), isStored: i == 1);
        }

        Assert.Equal(1, LoadName(table, 1, 0));
        Assert.Equal(0, LoadName(table, 2, 0, isDeleted: true));
        Assert.False(table.HasLeft);
        table.LoadTotals(0, [Id(1), Id(2), Id(3), Id(1)], [9, 7, 5, -2], outside: null); // in parts; the third was deleted long ago
        table.FinishLoading();
        Assert.Equal([KeyValuePair.Create(Id(1), 7L)], Totals(table));
        Assert.True(table.TryGet(Id(1), out NameEntry entry) && entry.IsDeclared && !entry.IsDefined && !entry.IsRemoved);
        Assert.Equal(7, At(table, Id(1), 0));
        Assert.True(table.TryGet(Id(2), out entry) && entry.IsRemoved);
    }
}
