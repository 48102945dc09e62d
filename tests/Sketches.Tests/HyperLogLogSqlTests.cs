using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class HyperLogLogSqlTests
{
    private static HyperLogLog With(int elements, int precision = 12)
    {
        HyperLogLog state = new(7, precision);
        for (int n = 0; n < elements; n++)
            state.Add(Streams.Id((ulong)n));
        return state;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500)]
    [InlineData(50_000)]
    public void A_column_value_makes_the_same_registers(int elements)
    {
        HyperLogLog state = With(elements);
        (uint[] indexes, byte[] ranks) = HyperLogLogSql.ToColumn(state);
        HyperLogLog back = HyperLogLogSql.FromColumn(7, 12, indexes, ranks);
        Assert.Equal(indexes.Order(), indexes);
        Assert.Equal(indexes.Distinct(), indexes);
        // One dense element more makes the original dense too.
        HyperLogLog dense = HyperLogLogSql.FromColumn(7, 12, [0], [0]);
        dense.Merge(state);
        Assert.Equal(elements == 0, back.IsEmpty);
        if (elements > 0)
            Assert.True(dense.Registers.SequenceEqual(back.Registers));
    }

    [Fact]
    public void A_damaged_column_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => HyperLogLogSql.FromColumn(7, 12, [1, 2], [1]));
        Assert.Throws<InvalidDataException>(() => HyperLogLogSql.FromColumn(7, 12, [4_096], [1]));
        Assert.Throws<InvalidDataException>(() => HyperLogLogSql.FromColumn(7, 12, [4_095], [52]));
    }

    [Fact]
    public void The_expression_names_its_arguments_once_bound()
    {
        string sql = HyperLogLogSql.Estimate("maxMap(state)", 12);
        Assert.DoesNotContain("registers", sql, StringComparison.Ordinal);
        Assert.DoesNotContain("precision", sql, StringComparison.Ordinal);
        Assert.Contains("(maxMap(state)).1", sql, StringComparison.Ordinal);
    }
}
