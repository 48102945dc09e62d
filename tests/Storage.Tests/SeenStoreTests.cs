using System.Globalization;
using System.Text.Json;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Sketches;
using Sketch.Storage.Store;
using static Sketch.Tests.Storage.EmbeddedClickHouseFixture;

namespace Sketch.Tests.Storage;

/// <summary>Hours of distinct elements.</summary>
[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class SeenStoreTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private const ulong KeyId = 77;
    private const long Minute = 60_000;
    private const long Hour = 60 * Minute;

    private readonly Sql _sql = new(clickHouse.Process);

    [Fact]
    public async Task Windows_merge_to_hours_and_days_however_often_they_are_stored()
    {
        LogIdentity log = NewLog();
        Checkpoint[] windows =
        [
            Window(log, 1, Today + Minute, "seen", 5, 0, 60, count: 60),
            Window(log, 2, Today + (7 * Minute), "seen", 5, 40, 60, count: 100),
            Window(log, 3, Today + (3 * Hour), "seen", 5, 90, 60, count: 150),
        ];
        foreach (Checkpoint window in windows)
        {
            await clickHouse.Store.StoreAsync(window, default);
            await using ClickHouseStore another = await OpenAsync(clickHouse.Process);
            await another.StoreAsync(window, default);
        }

        const string Where = "WHERE namespace = 'seen' AND name = 'u'";
        string midnight = DateTimeOffset.FromUnixTimeMilliseconds(Today).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        double[] hours = await NumbersAsync($"SELECT value FROM distincts_hourly {Where} ORDER BY hour");
        Assert.Equal([Estimate(0, 100), Estimate(90, 60)], hours);
        Assert.Equal([Estimate(0, 150)], await NumbersAsync($"SELECT value FROM distincts_daily {Where}"));
        Assert.Equal(
            $"{midnight} 00:01:00\t60\n{midnight} 00:07:00\t100\n{midnight} 03:00:00\t150",
            await _sql.AskAsync($"SELECT counted.1, counted.2 FROM distincts_hourly ARRAY JOIN counts AS counted {Where} ORDER BY 1"));

        DateTimeOffset from = DateTimeOffset.FromUnixTimeMilliseconds(Today);
        Assert.Equal([(from, Estimate(0, 100)), (from.AddHours(3), Estimate(90, 60))], await ReadAsync(5, from, from.AddDays(1), 1));
        Assert.Equal([(from, Estimate(0, 150))], await ReadAsync(5, from, from.AddDays(1), 24));
        Assert.Equal([(from.AddHours(3), Estimate(90, 60))], await ReadAsync(5, from.AddHours(1), from.AddHours(4), 1));
        Assert.Empty(await ReadAsync(6, from, from.AddDays(1), 1));
    }

    [Fact]
    public async Task Views_have_what_came_since_the_counter_was_reset_and_hours_are_kept_as_history_is()
    {
        LogIdentity log = NewLog();
        await clickHouse.Store.StoreAsync(Window(log, 1, Today, "again", 1, 0, 50, count: 50), default);
        await clickHouse.Store.StoreAsync(Window(log, 2, Today + Minute, "again", 2, 0, 20, count: 20), default);
        Assert.Equal([Estimate(0, 20)], await NumbersAsync("SELECT value FROM distincts_hourly WHERE namespace = 'again'"));

        await clickHouse.Store.StoreAsync(Window(log, 3, Today - (10 * 24 * Hour), "week", 3, 0, 20, count: 20, days: 7), default);
        await clickHouse.Store.StoreAsync(Window(log, 4, Today - (10 * 24 * Hour), "month", 4, 0, 20, count: 20, days: 30), default);
        using Sql writer = new(clickHouse.Process, writer: true);
        await writer.AskAsync("OPTIMIZE TABLE sketch.seen_rows FINAL");
        Assert.Equal("month", await _sql.AskAsync("SELECT namespace FROM distincts_hourly WHERE namespace IN ('week', 'month')"));
    }

    /// <summary>However many counters there are: the optimizer takes the ids from the names before it reads sums.</summary>
    [Fact]
    public async Task A_filter_on_the_name_reads_few_of_the_sums()
    {
        const int Counters = 100_000;
        using Sql writer = new(clickHouse.Process, writer: true);
        await clickHouse.Store.StoreAsync(EmbeddedClickHouseFixture.Window(NewLog(), 1, 1, [("few", "a", 1), ("few", "b", 1)]), default);
        await writer.AskAsync("OPTIMIZE TABLE sketch.total_rows FINAL");
        await clickHouse.Store.StoreAsync(
            EmbeddedClickHouseFixture.Window(NewLog(), 1, 1, Enumerable.Range(0, Counters).Select(i => ("many", $"c{i}", (long)i))), default);
        // In a format whose answer is made in one piece, so that what was read is told exactly.
        // Twice, and beside a small part that was merged: the engine remembers how few sums came of it the first time, and keeps statistics of what it merged.
        string[] views = ["totals", "history_hourly", "history_daily", "history_monthly"];
        foreach (string view in views.Concat(views))
        {
            using HttpResponseMessage answer = await _sql.PostAsync($"SELECT value FROM {view} WHERE namespace = 'many' AND name = 'c4711' FORMAT Values");
            Assert.Equal("(4711)", await answer.Content.ReadAsStringAsync());
            using JsonDocument summary = JsonDocument.Parse(answer.Headers.GetValues("X-ClickHouse-Summary").Single());
            Assert.InRange(long.Parse(summary.RootElement.GetProperty("read_rows").GetString()!, CultureInfo.InvariantCulture), 2, Counters / 2);
        }
    }

    public void Dispose() => _sql.Dispose();

    /// <summary>A window in which a counter saw some elements.</summary>
    internal static Checkpoint Window(
        LogIdentity log, long position, long timeMs, string space, long generation, int first, int elements, long count, int days = 30, string name = "u")
    {
        ulong id = CounterId.Of(space, name);
        (uint[] indexes, byte[] ranks) = HyperLogLogSql.ToColumn(State(first, elements));
        return new Checkpoint
        {
            Log = log,
            From = position,
            To = position,
            FirstTimeMs = timeMs,
            LastTimeMs = timeMs,
            Increments = elements,
            Deltas = [],
            Names = [new NamedCounter(space, name, id, "distinct", "approximate", new Dictionary<string, string>()) { Generation = generation }],
            Distincts =
            [
                new DistinctRow
                {
                    Namespace = space, Id = id, Generation = generation, Position = position, Indexes = indexes, Ranks = ranks, IsExact = false,
                    ExactCount = count, Added = 0, Changes = 0, NewElements = 0, Variance = 0, Sketch = default, NewMembers = [],
                },
            ],
            Seen = [new SeenElements(space, id, generation, indexes, ranks)],
            RetentionDays = new Dictionary<string, int> { [space] = days },
        };
    }

    private static HyperLogLog State(int first, int elements)
    {
        HyperLogLog state = new(KeyId);
        for (int i = first; i < first + elements; i++)
        {
            state.Add(ElementHash.Compute(new SketchKey(1, 2), BitConverter.GetBytes(i)));
        }

        return state;
    }

    // As SQL estimates it: from registers alone.
    private static double Estimate(int first, int elements)
    {
        (uint[] indexes, byte[] ranks) = HyperLogLogSql.ToColumn(State(first, elements));
        return Math.Round(HyperLogLogSql.FromColumn(KeyId, 12, indexes, ranks).Estimate());
    }

    private async Task<double[]> NumbersAsync(string sql) =>
        [.. (await _sql.AskAsync(sql)).Split('\n').Select(n => double.Parse(n, CultureInfo.InvariantCulture))];

    private async Task<(DateTimeOffset Start, double Elements)[]> ReadAsync(long generation, DateTimeOffset from, DateTimeOffset to, int stepHours) =>
    [
        .. (await clickHouse.Store.ReadSeenAsync("seen", CounterId.Of("seen", "u"), generation, from, to, stepHours, default))
            .Select(p => (p.Start, Math.Round(HyperLogLogSql.FromColumn(KeyId, 12, p.Indexes, p.Ranks).Estimate()))),
    ];
}
