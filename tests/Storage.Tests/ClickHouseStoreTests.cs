using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Storage.Store;
using static Sketch.Tests.Storage.EmbeddedClickHouseFixture;

namespace Sketch.Tests.Storage;

[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class ClickHouseStoreTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private readonly Sql _sql = new(clickHouse.Process);

    [Fact]
    public async Task Stored_window_counts_once_however_often_it_comes()
    {
        LogIdentity log = NewLog();
        Checkpoint window = Window(log, 1, 10, [("once", "a", 5), ("once", "b", 7)]);
        await clickHouse.Store.StoreAsync(window, default);
        await clickHouse.Store.StoreAsync(window, default);
        await using ClickHouseStore another = await OpenAsync(clickHouse.Process);
        await another.StoreAsync(window, default);

        Assert.Equal(new Dictionary<string, long> { ["a"] = 5, ["b"] = 7 }, await CountersAsync(another, "once"));
        Assert.Equal(new StoredPosition(10, window.LastTimeMs), await another.LastAsync(log, default));
        Assert.Equal("b\t7\na\t5", await _sql.AskAsync("SELECT name, value FROM totals WHERE namespace = 'once' ORDER BY value DESC LIMIT 10"));
        Assert.Equal("1\t10\t2\t2", await _sql.AskAsync(
            $"SELECT from_position, to_position, increments, counters FROM checkpoints WHERE log = {log.Number}"));
    }

    /// <summary>A namespace's number in a block takes one, two or four bytes.</summary>
    [Theory]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(65_537)]
    public async Task Rows_of_many_namespaces_stay_in_their_own(int namespaces)
    {
        string first = string.Create(CultureInfo.InvariantCulture, $"many{namespaces}-");
        await clickHouse.Store.StoreAsync(
            Window(NewLog(), 1, 10, Enumerable.Range(1, namespaces).SelectMany(i => new[] { ($"{first}{i}", "a", (long)i), ($"{first}{i}", "b", 1L) }), names: false), default);

        foreach ((string table, string value) in new[] { ("deltas", "delta"), ("hourly_rows", "value"), ("daily_rows", "value"), ("total_rows", "value") })
        {
            Assert.Equal($"{namespaces}\t0", await _sql.AskAsync(
                $"""
                SELECT count(), countIf(sum != toInt64(substring(namespace, {first.Length + 1})) + 1)
                FROM (SELECT namespace, sum({value}) AS sum FROM {table} WHERE startsWith(namespace, '{first}') GROUP BY namespace)
                """));
        }
    }

    [Fact]
    public async Task Window_that_overlaps_what_is_stored_is_refused()
    {
        LogIdentity log = NewLog();
        await clickHouse.Store.StoreAsync(Window(log, 1, 10, [("overlap", "a", 5)]), default);
        CheckpointStoreException refused = await Assert.ThrowsAsync<CheckpointStoreException>(
            async () => await clickHouse.Store.StoreAsync(Window(log, 5, 20, [("overlap", "a", 5)]), default));
        Assert.Contains("overlaps", refused.Message, StringComparison.Ordinal);
        Assert.Equal(5, (await CountersAsync(clickHouse.Store, "overlap"))["a"]);
    }

    [Fact]
    public async Task Checkpoints_of_another_incarnation_are_refused()
    {
        LogIdentity log = NewLog();
        await clickHouse.Store.StoreAsync(Window(log, 1, 10, [("incarnation", "a", 5)]), default);
        CheckpointStoreException refused = await Assert.ThrowsAsync<CheckpointStoreException>(
            async () => await clickHouse.Store.LastAsync(log with { Incarnation = 99 }, default));
        Assert.Contains("another incarnation", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_that_was_never_stored_is_at_zero() =>
        Assert.Equal(default, await clickHouse.Store.LastAsync(NewLog(), default));

    /// <summary>Random windows in chunks of seven rows; each is tried twice, and now and then by a store that knows nothing.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Totals_and_hours_are_the_sums_of_the_deltas(int seed)
    {
        Random random = new(seed);
        string space = $"sums{seed}";
        LogIdentity log = NewLog();
        Dictionary<string, long> truth = [];
        Dictionary<(string Name, long Hour), long> hours = [];
        await using ClickHouseStore store = await OpenAsync(clickHouse.Process, chunkRows: 7);
        long position = 1;
        for (int i = 0; i < 12; i++)
        {
            long timeMs = Today + (random.Next(4) * 3_600_000L);
            (string, string Name, long Delta)[] sums =
            [
                .. Enumerable.Range(0, 40).Where(_ => random.Next(3) == 0).Select(n => (space, $"counter {n}", random.NextInt64(-1000, 1000))),
            ];
            Checkpoint window = Window(log, position, position + random.Next(5), sums, timeMs: timeMs);
            position = window.To + 1;
            await store.StoreAsync(window, default);
            await store.StoreAsync(window, default);
            foreach ((_, string name, long delta) in sums)
            {
                truth[name] = truth.GetValueOrDefault(name) + delta;
                (string, long) hour = (name, timeMs / 3_600_000 * 3_600);
                hours[hour] = hours.GetValueOrDefault(hour) + delta;
            }
        }

        Assert.Equal(truth, await CountersAsync(store, space));
        string totals = await _sql.AskAsync($"SELECT name, value FROM totals WHERE namespace = '{space}' ORDER BY name");
        Assert.Equal(truth.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}\t{t.Value}"), totals.Split('\n'));
        string deltas = await _sql.AskAsync($"SELECT sum(delta), uniqExact(id) FROM deltas WHERE log = {log.Number}");
        Assert.Equal($"{truth.Values.Sum()}\t{truth.Count}", deltas);
        string hourly = await _sql.AskAsync(
            $"SELECT name, toUnixTimestamp(hour), value FROM history_hourly WHERE namespace = '{space}' ORDER BY name, hour");
        Assert.Equal(
            hours.OrderBy(h => h.Key.Name, StringComparer.Ordinal).ThenBy(h => h.Key.Hour).Select(h => $"{h.Key.Name}\t{h.Key.Hour}\t{h.Value}"),
            hourly.Split('\n'));
        foreach ((string name, long total) in truth.Take(5))
        {
            IReadOnlyList<HistoryPoint> points = await store.ReadHistoryAsync(
                space, CounterId.Of(space, name), DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, 24 * 365, default);
            Assert.Equal(total, points.Sum(p => p.Value));
        }
    }

    [Fact]
    public async Task History_is_summed_by_steps_of_hours()
    {
        LogIdentity log = NewLog();
        long day = Today;
        for (int hour = 0; hour < 5; hour++)
        {
            await clickHouse.Store.StoreAsync(
                Window(log, hour + 1, hour + 1, [("steps", "a", 1L << hour)], names: hour == 0, timeMs: day + (hour * 3_600_000L) + 1), default);
        }

        DateTimeOffset start = DateTimeOffset.FromUnixTimeMilliseconds(day);
        ulong id = CounterId.Of("steps", "a");
        Assert.Equal(
            [new(start, 3), new(start.AddHours(2), 12), new(start.AddHours(4), 16)],
            await clickHouse.Store.ReadHistoryAsync("steps", id, start, start.AddDays(1), 2, default));
        Assert.Equal(
            [new(start.AddHours(1), 2), new(start.AddHours(2), 4)],
            await clickHouse.Store.ReadHistoryAsync("steps", id, start.AddHours(1), start.AddHours(3), 1, default));
    }

    [Fact]
    public async Task Names_are_found_by_prefix_in_the_order_of_their_bytes()
    {
        string[] names = ["%", "%a", "_", "_b", "a%b", "a_b", "aXb", "a'b", "a\\b", "a\\'c", "Ärger", "äpfel", "日本", "日光", "😀", "￿", "tab\tname", "{x:String}"];
        await clickHouse.Store.StoreAsync(Window(NewLog(), 1, 1, names.Select(n => ("prefix", n, 1L))), default);
        string[] ordered = [.. names.OrderBy(n => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(n)), StringComparer.Ordinal)];
        Assert.Equal(ordered, await clickHouse.Store.FindNamesAsync("prefix", "", null, 100, default));
        foreach (string prefix in new[] { "%", "_", "a", "a%", "a_", "a'", "a\\", "a\\'", "Ä", "日", "😀", "tab\t", "{", "nothing" })
        {
            Assert.Equal(
                ordered.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)), await clickHouse.Store.FindNamesAsync("prefix", prefix, null, 100, default));
        }

        Assert.Equal(ordered.Skip(4).Take(3), await clickHouse.Store.FindNamesAsync("prefix", "", ordered[3], 3, default));
        Assert.Empty(await clickHouse.Store.FindNamesAsync("no such namespace", "", null, 100, default));
    }

    [Fact]
    public async Task Ids_are_what_ClickHouse_calls_xxh3()
    {
        string[] names = ["a", "the", "日本", new string('x', 100), new string('y', 256)];
        foreach (string name in names)
        {
            Assert.Equal(
                CounterId.Of("words", name).ToString(CultureInfo.InvariantCulture),
                await _sql.AskAsync($"SELECT xxh3(concat('words', ':', '{name}'))"));
        }
    }

    [Fact]
    public async Task Redefined_counter_has_its_last_definition_once()
    {
        LogIdentity log = NewLog();
        await clickHouse.Store.StoreAsync(Window(log, 1, 1, [("defined", "a", 4)]), default);
        NamedCounter again = new("defined", "a", CounterId.Of("defined", "a"), "sum", "strong", new Dictionary<string, string> { ["team"] = "x", ["city"] = "Köln" });
        Checkpoint window = Window(log, 2, 2, [("defined", "b", 1)]);
        await clickHouse.Store.StoreAsync(
            new Checkpoint
            {
                Log = log,
                From = 2,
                To = 2,
                FirstTimeMs = window.FirstTimeMs,
                LastTimeMs = window.LastTimeMs,
                Increments = 1,
                Deltas = window.Deltas,
                Names = [again, .. window.Names],
            }, default);

        Assert.Equal(
            "a\tstrong\t{'city':'Köln','team':'x'}\nb\tapproximate\t{}",
            await _sql.AskAsync("SELECT name, tier, labels FROM counters WHERE namespace = 'defined' ORDER BY name"));
        Assert.Equal("a\t4\nb\t1", await _sql.AskAsync("SELECT name, value FROM totals WHERE namespace = 'defined' ORDER BY name"));
        Assert.Equal(new Dictionary<string, long> { ["a"] = 4, ["b"] = 1 }, await CountersAsync(clickHouse.Store, "defined"));
    }

    [Fact]
    public async Task Deltas_are_kept_for_days_of_log_time_and_totals_for_ever()
    {
        LogIdentity log = NewLog();
        await using ClickHouseStore store = await OpenAsync(clickHouse.Process);
        for (int day = -4; day <= 0; day++)
        {
            await store.StoreAsync(Window(log, day + 5, day + 5, [("days", "a", 1)], names: day == -4, timeMs: Today + (day * 86_400_000L)), default);
        }

        Assert.Equal("3", await _sql.AskAsync($"SELECT count() FROM deltas WHERE log = {log.Number}"));
        Assert.Equal("5", await _sql.AskAsync("SELECT value FROM totals WHERE namespace = 'days'"));
        Assert.Equal("5", await _sql.AskAsync("SELECT count() FROM history_hourly WHERE namespace = 'days'"));
    }

    /// <summary>A window that reaches into the five minutes from before is left out, and so is its part of them.</summary>
    [Fact]
    public async Task Rates_are_of_the_time_that_their_windows_cover()
    {
        long newest = long.Parse(
            await _sql.AskAsync("SELECT toUnixTimestamp64Milli(max(last_time)) FROM checkpoints"), CultureInfo.InvariantCulture);
        long start = Math.Max(newest, Today) + 3_600_000;
        LogIdentity log = NewLog();
        LogIdentity another = NewLog();

        // Ten a second in windows of 40 s: eight of them, 320 s, of which the first reaches 20 s into the five minutes.
        for (int i = 0; i < 8; i++)
        {
            await clickHouse.Store.StoreAsync(
                Window(log, i + 1, i + 1, [("rates", "steady", 400)], names: i == 0, timeMs: start + (i * 40_000) + 1, lastTimeMs: start + ((i + 1) * 40_000)), default);
        }

        await clickHouse.Store.StoreAsync(
            Window(another, 1, 1, [("rates", "once", 600)], names: true, timeMs: start + 300_000, lastTimeMs: start + 310_000), default);
        Assert.Equal(
            $"once\t2\t{start + 320_000}\nsteady\t10\t{start + 320_000}",
            await _sql.AskAsync("SELECT name, per_second, toUnixTimestamp64Milli(as_of) FROM rates WHERE namespace = 'rates' ORDER BY name"));
    }

    /// <summary>A store that dies before its n-th insert, for every n: what a restart reads is the totals up to the last checkpoint, and the retry counts once.</summary>
    [Fact]
    public async Task Crash_between_any_two_inserts_counts_the_window_once()
    {
        int inserts = int.MaxValue;
        for (int n = 0; n < inserts; n++)
        {
            string space = $"crash{n}";
            LogIdentity log = NewLog();
            (string, string Name, long Delta)[] sums = [.. Enumerable.Range(0, 9).Select(i => (space, $"c{i}", 10L + i))];
            await clickHouse.Store.StoreAsync(Window(log, 1, 3, sums), default);
            Checkpoint window = Window(log, 4, 9, [.. sums, (space, "new", 5)]);
            int count = 0;
            ClickHouseStoreOptions options = ClickHouseStoreOptions.For(clickHouse.Process) with
            {
                ChunkRows = 4,
                BeforeInsert = _ => count++ == n ? throw new CheckpointStoreException("the process died") : Task.CompletedTask,
            };
            await using (ClickHouseStore dying = await ClickHouseStore.OpenAsync(options, NullLogger<ClickHouseStore>.Instance, default))
            {
                Exception? died = await Record.ExceptionAsync(async () => await dying.StoreAsync(window, default));
                inserts = died is null ? count : inserts;
            }

            await using ClickHouseStore restarted = await OpenAsync(clickHouse.Process, chunkRows: 4);
            bool stored = inserts == count;
            StoredPosition last = await restarted.LastAsync(log, default);
            Assert.Equal(stored ? 9 : 3, last.Position);
            Assert.Equal($"{last.UnfinishedRows}", await _sql.AskAsync($"SELECT count() FROM deltas WHERE log = {log.Number} AND to_position > {last.Position}"));
            Assert.Equal(last, await restarted.LastAsync(log, default));
            Dictionary<string, long> once = sums.ToDictionary(s => s.Name, s => s.Delta);
            Dictionary<string, long> twice = sums.ToDictionary(s => s.Name, s => s.Delta * 2);
            twice["new"] = 5;
            Dictionary<string, long> read = await CountersAsync(restarted, space);
            Assert.Equal(stored ? 5 : 0, read.GetValueOrDefault("new"));
            read.Remove("new");
            Assert.Equal(stored ? twice.Where(t => t.Key != "new").ToDictionary() : once, read);

            await restarted.StoreAsync(window, default);
            Assert.Equal(twice, await CountersAsync(restarted, space));
            Assert.Equal($"{twice.Values.Sum()}", await _sql.AskAsync($"SELECT sum(value) FROM history_hourly WHERE namespace = '{space}'"));
            Assert.Equal($"{twice.Values.Sum()}", await _sql.AskAsync($"SELECT sum(value) FROM history_daily WHERE namespace = '{space}'"));
            Assert.Equal($"{twice.Values.Sum()}", await _sql.AskAsync($"SELECT sum(delta) FROM deltas WHERE log = {log.Number}"));
        }

        Assert.Equal(3 + (3 * 4) + 1, inserts); // names and deltas in three chunks each, and the checkpoint
    }

    [Fact]
    public async Task Empty_window_moves_the_position()
    {
        LogIdentity log = NewLog();
        await clickHouse.Store.StoreAsync(Window(log, 1, 9, []), default);
        Assert.Equal(9, (await clickHouse.Store.LastAsync(log, default)).Position);
    }

    public void Dispose() => _sql.Dispose();
}
