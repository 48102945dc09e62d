using System.Globalization;
using System.Runtime.InteropServices;
using Sketch.Sketches;

namespace Sketch.Tests.Storage;

/// <summary>ClickHouse merges and estimates our distinct states in SQL, and errs more with its own.</summary>
[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class DistinctSqlTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private static readonly SketchKey Key = new(1, 2);

    private readonly Sql _sql = new(clickHouse.Process, writer: true);

    private static HyperLogLog State(ulong from, ulong to)
    {
        HyperLogLog state = new(Key.KeyId);
        for (ulong element = from; element < to; element++)
            state.Add(ElementHash.Compute(Key, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in element))));
        return state;
    }

    private static string Row(HyperLogLog state)
    {
        (uint[] indexes, byte[] ranks) = HyperLogLogSql.ToColumn(state);
        return $"SELECT CAST(([{string.Join(',', indexes)}], [{string.Join(',', ranks)}]), 'Tuple(Array(UInt32), Array(UInt8))') AS registers";
    }

    private async Task<double[]> AskAsync(string sql) =>
        [.. (await _sql.AskAsync(sql)).Split('\n').Select(line => double.Parse(line, CultureInfo.InvariantCulture))];

    [Theory]
    [InlineData(50, 100)]
    [InlineData(500, 900)]
    [InlineData(20_000, 30_000)]
    [InlineData(100_000, 10)]
    public async Task A_union_in_SQL_estimates_what_a_union_in_CSharp_estimates(int left, int right)
    {
        HyperLogLog a = State(0, (ulong)left), b = State((ulong)left / 2, (ulong)(left / 2 + right));
        double sql = Assert.Single(await AskAsync($"SELECT {HyperLogLogSql.Estimate("maxMap(registers)", 12)} FROM ({Row(a)} UNION ALL {Row(b)})"));
        // SQL sees registers only: dense, as the union's would be.
        (uint[] indexes, byte[] ranks) = HyperLogLogSql.ToColumn(b);
        HyperLogLog union = HyperLogLogSql.FromColumn(Key.KeyId, 12, indexes, ranks);
        union.Merge(a);
        Assert.InRange(sql / union.Estimate(), 1 - 1e-9, 1 + 1e-9);
    }

    [Fact]
    public async Task On_the_same_values_ours_errs_less_than_ClickHouses_own()
    {
        const int Trials = 200, Elements = 10_000;
        double Rmse(IEnumerable<double> estimates) => Math.Sqrt(estimates.Average(e => Math.Pow((e / Elements) - 1, 2)));
        Task<double[]> Uniq(string function) => AskAsync(
            $"SELECT {function} FROM (SELECT intDiv(number, {Elements}) AS trial, trial * 1000000007 + number % {Elements} AS element "
            + $"FROM numbers({Trials * Elements})) GROUP BY trial ORDER BY trial");
        double ours = Rmse(Enumerable.Range(0, Trials).Select(t => State((ulong)t * 1_000_000_007, ((ulong)t * 1_000_000_007) + Elements).Estimate()));
        double hll12 = Rmse(await Uniq("uniqHLL12(element)")), combined = Rmse(await Uniq("uniqCombined64(12)(element)"));
        Assert.InRange(ours, 0.010, 1.10 * HyperLogLog.StandardErrorOf(12));
        Assert.True(ours < hll12 && ours < combined, $"{ours} against {hll12} and {combined}");
    }

    public void Dispose() => _sql.Dispose();
}
