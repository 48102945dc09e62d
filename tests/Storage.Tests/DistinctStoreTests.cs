using System.Globalization;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Sketches;
using Sketch.Storage.Store;
using static Sketch.Tests.Storage.EmbeddedClickHouseFixture;

namespace Sketch.Tests.Storage;

[Collection(EmbeddedClickHouseGroup.Name)]
public sealed class DistinctStoreTests(EmbeddedClickHouseFixture clickHouse) : IDisposable
{
    private const ulong KeyId = 77;

    private readonly Sql _sql = new(clickHouse.Process);

    [Fact]
    public async Task States_come_back_as_they_were_however_often_they_are_stored()
    {
        LogIdentity log = NewLog();
        HyperLogLog all = new(KeyId);
        long position = 0;
        for (int window = 0; window < 4; window++)
        {
            HyperLogLog raised = new(KeyId);
            foreach (ulong hash in Hashes(window * 900, 900))
            {
                if (all.Add(hash))
                {
                    raised.Add(hash);
                }
            }

            Checkpoint checkpoint = Distincts(log, "states", ++position, Row("states", "u", 5, position, all, raised));
            await clickHouse.Store.StoreAsync(checkpoint, default);
            await using ClickHouseStore another = await OpenAsync(clickHouse.Process);
            await another.StoreAsync(checkpoint, default);

            StoredDistinct stored = await OneAsync("states", "u");
            Assert.Equal((5L, position, 10.5, 2.25), (stored.Generation, stored.Position, stored.NewElements, stored.Variance));
            (uint[] indexes, byte[] ranks) = HyperLogLogSql.ToColumn(all);
            Assert.Equal(indexes, stored.Indexes);
            Assert.Equal(ranks, stored.Ranks);
            Assert.Equal(all.IsSparse, stored.Sketch.Length > 0);
            Assert.Equal(all.IsSparse ? all.Estimate() : 0, stored.Sketch.Length > 0 ? HyperLogLog.Load(stored.Sketch, KeyId).Estimate() : 0);
        }
    }

    /// <summary>The estimator in SQL and the one in C#, of one counter and of the union of two.</summary>
    [Fact]
    public async Task Sql_estimates_what_the_program_does()
    {
        LogIdentity log = NewLog();
        HyperLogLog a = new(KeyId);
        HyperLogLog b = new(KeyId);
        a.Add(Hashes(0, 30_000));
        b.Add(Hashes(20_000, 30_000));
        await clickHouse.Store.StoreAsync(
            Distincts(log, "estimates", 1, Row("estimates", "a", 1, 1, a, a), Row("estimates", "b", 1, 1, b, b)), default);
        HyperLogLog union = HyperLogLogSql.FromColumn(KeyId, 12, HyperLogLogSql.ToColumn(a).Indexes, HyperLogLogSql.ToColumn(a).Ranks);
        union.Merge(b);

        string one = await _sql.AskAsync("SELECT sketchDistinct(registers, 12) FROM distincts WHERE namespace = 'estimates' AND name = 'a'");
        string both = await _sql.AskAsync("SELECT sketchDistinct(maxMap(registers), 12) FROM distincts WHERE namespace = 'estimates'");
        Assert.Equal(a.Estimate(), double.Parse(one, CultureInfo.InvariantCulture), a.Estimate() * 1e-9);
        Assert.Equal(union.Estimate(), double.Parse(both, CultureInfo.InvariantCulture), union.Estimate() * 1e-9);
        Assert.Equal("a\t110\t0\nb\t110\t0", await _sql.AskAsync("SELECT name, value, exact FROM distincts WHERE namespace = 'estimates' ORDER BY name"));
    }

    [Fact]
    public async Task Members_are_a_set_and_only_those_of_the_last_generation_come_back()
    {
        LogIdentity log = NewLog();
        HyperLogLog none = new(KeyId);
        UInt128[] members = [.. Enumerable.Range(1, 100).Select(i => new UInt128((ulong)i << 32, ulong.MaxValue - (ulong)i))];
        await clickHouse.Store.StoreAsync(Distincts(log, "members", 1, Row("members", "u", 1, 1, none, none, members[..60])), default);
        await clickHouse.Store.StoreAsync(Distincts(log, "members", 2, Row("members", "u", 1, 2, none, none, members[50..])), default);
        Assert.Equal(members.Order(), (await MembersAsync("members", "u")).Distinct().Order());

        await clickHouse.Store.StoreAsync(Distincts(log, "members", 3, Row("members", "u", 3, 3, none, none, members[..1])), default);
        Assert.Equal(members[..1], await MembersAsync("members", "u"));
        Assert.Equal("1", await _sql.AskAsync("SELECT count() FROM distincts WHERE namespace = 'members'"));
    }

    [Fact]
    public async Task Items_are_summed_once_and_read_as_of_the_last_whole_window()
    {
        LogIdentity log = NewLog();
        await clickHouse.Store.StoreAsync(Items(log, 1, ("/a", 5), ("/b", 3)), default);
        await clickHouse.Store.StoreAsync(Items(log, 1, ("/a", 5), ("/b", 3)), default);

        // The second window dies before its row in checkpoints.
        ClickHouseStoreOptions options = ClickHouseStoreOptions.For(clickHouse.Process) with
        {
            BeforeInsert = table => table == "checkpoints" ? throw new CheckpointStoreException("the process died") : Task.CompletedTask,
        };
        Checkpoint second = Items(log, 2, ("/b", 10), ("/c", 1));
        await using (ClickHouseStore dying = await ClickHouseStore.OpenAsync(options, Microsoft.Extensions.Logging.Abstractions.NullLogger<ClickHouseStore>.Instance, default))
        {
            await Assert.ThrowsAsync<CheckpointStoreException>(async () => await dying.StoreAsync(second, default));
        }

        Assert.Equal([("/a", 5), ("/b", 3), ("/c", 0)], await ItemsAsync(log, 1, 10));
        await clickHouse.Store.StoreAsync(second, default);
        Assert.Equal([("/b", 13), ("/a", 5), ("/c", 1)], await ItemsAsync(log, 2, 10));
        Assert.Equal([("/b", 13)], await ItemsAsync(log, 2, 1));
        Assert.Equal("/b\t13\n/a\t5\n/c\t1", await _sql.AskAsync("SELECT item, value FROM items WHERE namespace = 'tops' AND name = 'u' ORDER BY value DESC"));
    }

    [Fact]
    public async Task History_is_kept_for_as_long_as_its_namespace_says()
    {
        LogIdentity log = NewLog();
        long old = Today - (40 * 86_400_000L);
        Checkpoint window = EmbeddedClickHouseFixture.Window(log, 1, 1, [("keep365", "a", 1), ("keep30", "a", 1), ("keep7", "a", 1)], timeMs: old);
        await clickHouse.Store.StoreAsync(WithDays(window), default);
        Checkpoint later = EmbeddedClickHouseFixture.Window(log, 2, 2, [("keep30", "a", 1), ("keep7", "a", 1)], names: false, timeMs: Today - (10 * 86_400_000L));
        await clickHouse.Store.StoreAsync(WithDays(later), default);

        using Sql writer = new(clickHouse.Process, writer: true);
        await writer.AskAsync("OPTIMIZE TABLE sketch.hourly_rows FINAL");
        Assert.Equal(
            "keep30\t1\nkeep365\t1", await _sql.AskAsync("SELECT namespace, count() FROM hourly_rows WHERE namespace LIKE 'keep%' GROUP BY namespace ORDER BY namespace"));
        Assert.Equal("2", await _sql.AskAsync("SELECT value FROM totals WHERE namespace = 'keep7'"));
    }

    [Fact]
    public async Task Deleted_counter_is_in_no_view_until_it_is_made_again()
    {
        LogIdentity log = NewLog();
        await clickHouse.Store.StoreAsync(Window(log, 1, 1, [("gone", "a", 4), ("gone", "b", 1)]), default);
        NamedCounter deleted = Named("gone", "a", "sum", 0) with { Deleted = true };
        ulong id = CounterId.Of("gone", "a");
        await clickHouse.Store.StoreAsync(Empty(log, 2, [deleted], new DeltaRow("gone", id, -4)), default);

        Assert.Equal("b\t1", await _sql.AskAsync("SELECT name, value FROM totals WHERE namespace = 'gone'"));
        Assert.Equal("b", await _sql.AskAsync("SELECT name FROM counters WHERE namespace = 'gone'"));
        Assert.Equal("1", await _sql.AskAsync("SELECT sum(value) FROM history_hourly WHERE namespace = 'gone'"));
        Assert.Equal(["b"], await clickHouse.Store.FindNamesAsync("gone", "", null, 10, default));
        Assert.Equal(new Dictionary<string, long> { ["b"] = 1 }, await CountersAsync(clickHouse.Store, "gone"));

        await clickHouse.Store.StoreAsync(Empty(log, 3, [deleted with { Deleted = false }], new DeltaRow("gone", id, 7)), default);
        Assert.Equal("a\t7\nb\t1", await _sql.AskAsync("SELECT name, value FROM totals WHERE namespace = 'gone' ORDER BY name"));
    }

    public void Dispose() => _sql.Dispose();

    /// <summary>What the statements of docs/sql.md ask for.</summary>
    internal static Checkpoint Documented()
    {
        HyperLogLog state = new(KeyId);
        state.Add(Hashes(0, 100));
        Checkpoint distinct = Distincts(NewLog(), "words", 1, Row("words", "readers", 1, 1, state, state));
        return new Checkpoint
        {
            Log = distinct.Log,
            From = 1,
            To = 1,
            FirstTimeMs = Today,
            LastTimeMs = Today,
            Increments = 1,
            Deltas = [],
            Names = [Named("words", "pages", "top", 1), .. distinct.Names],
            Distincts = distinct.Distincts,
            Seen = [.. distinct.Distincts.Select(d => new SeenElements(d.Namespace, d.Id, d.Generation, d.Indexes, d.Ranks))],
            Items = [new ItemRow("words", CounterId.Of("words", "pages"), 1, "/", 7, 3)],
        };
    }

    private static ulong[] Hashes(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(i => ElementHash.Compute(new SketchKey(1, 2), BitConverter.GetBytes(i)))];

    private static NamedCounter Named(string space, string name, string kind, long generation) =>
        new(space, name, CounterId.Of(space, name), kind, "approximate", new Dictionary<string, string>()) { Generation = generation };

    private static DistinctRow Row(
        string space, string name, long generation, long position, HyperLogLog state, HyperLogLog raised, params UInt128[] members)
    {
        System.Buffers.ArrayBufferWriter<byte> saved = new();
        state.Save(saved);
        return new DistinctRow
        {
            Namespace = space,
            Id = CounterId.Of(space, name),
            Generation = generation,
            Position = position,
            Indexes = HyperLogLogSql.ToColumn(raised).Indexes,
            Ranks = HyperLogLogSql.ToColumn(raised).Ranks,
            IsExact = members.Length > 0,
            ExactCount = 100,
            Added = 40,
            Changes = 5,
            NewElements = 10.5,
            Variance = 2.25,
            Sketch = state.IsSparse ? saved.WrittenMemory : default,
            NewMembers = members,
        };
    }

    private static Checkpoint Distincts(LogIdentity log, string space, long position, params DistinctRow[] rows)
    {
        string[] names = ["a", "b", "u", "readers"];
        return new Checkpoint
        {
            Log = log,
            From = position,
            To = position,
            FirstTimeMs = Today,
            LastTimeMs = Today,
            Increments = 1,
            Deltas = [],
            Names = [.. rows.Select(r => Named(space, names.Single(n => CounterId.Of(space, n) == r.Id), "distinct", r.Generation)).OrderBy(n => n.Name, StringComparer.Ordinal)],
            Distincts = [.. rows.OrderBy(r => r.Id)],
        };
    }

    private static Checkpoint Empty(LogIdentity log, long position, NamedCounter[] names, DeltaRow delta) => new()
    {
        Log = log,
        From = position,
        To = position,
        FirstTimeMs = Today,
        LastTimeMs = Today,
        Increments = 1,
        Deltas = [delta],
        Names = names,
    };

    private static Checkpoint Items(LogIdentity log, long position, params (string Item, long Delta)[] items) => new()
    {
        Log = log,
        From = position,
        To = position,
        FirstTimeMs = Today,
        LastTimeMs = Today,
        Increments = 1,
        Deltas = [],
        Names = [Named("tops", "u", "top", 1)],
        Items = [.. items.Select(i => new ItemRow("tops", CounterId.Of("tops", "u"), 1, i.Item, 7, i.Delta))],
    };

    private static Checkpoint WithDays(Checkpoint window) => new()
    {
        Log = window.Log,
        From = window.From,
        To = window.To,
        FirstTimeMs = window.FirstTimeMs,
        LastTimeMs = window.LastTimeMs,
        Increments = window.Increments,
        Deltas = window.Deltas,
        Names = window.Names,
        RetentionDays = new Dictionary<string, int> { ["keep365"] = 365, ["keep7"] = 7 },
    };

    private async Task<List<(string Item, long Value)>> ItemsAsync(LogIdentity log, long position, int limit)
    {
        List<(string, long)> found = [];
        await foreach (IReadOnlyList<StoredItem> batch in clickHouse.Store.ReadItemsAsync(log, position, limit, default))
        {
            found.AddRange(batch.Where(i => i.Id == CounterId.Of("tops", "u")).Select(i => (i.Item, i.Value)));
        }

        return found;
    }

    private async Task<StoredDistinct> OneAsync(string space, string name)
    {
        List<StoredDistinct> found = [];
        await foreach (IReadOnlyList<StoredDistinct> batch in clickHouse.Store.ReadDistinctsAsync(default))
        {
            found.AddRange(batch.Where(d => d.Id == CounterId.Of(space, name)));
        }

        return Assert.Single(found);
    }

    private async Task<List<UInt128>> MembersAsync(string space, string name)
    {
        List<UInt128> found = [];
        await foreach (IReadOnlyList<StoredMember> batch in clickHouse.Store.ReadMembersAsync(default))
        {
            found.AddRange(batch.Where(m => m.Id == CounterId.Of(space, name)).Select(m => m.Member));
        }

        return found;
    }
}
