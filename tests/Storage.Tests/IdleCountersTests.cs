using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Storage.Store;

namespace Sketch.Tests.Storage;

/// <summary>Counters that did not change for long, from the real ClickHouse.</summary>
[Collection(EmbeddedClickHouseGroup.Name)]
public class IdleCountersTests(EmbeddedClickHouseFixture fixture)
{
    private const string Namespace = "idle";
    private const long Hour = 3_600_000;

    private static readonly string[] Nobody = [];

    [Fact]
    public async Task Idle_is_who_did_not_change_after_the_last_window_before_that_time()
    {
        LogIdentity log = EmbeddedClickHouseFixture.NewLog();
        ClickHouseStore store = fixture.Store;
        await Store(1, 10, hour: 0, [("sum", 5), ("busy", 5), ("reset", 1), ("gone", 1), ("again", 2)], [Row("defined", "sum"), Row("users", "distinct"), Row("idle users", "distinct")], Users(10, "users", "idle users"));
        await Store(11, 20, hour: 1, [("busy", 1), ("gone", -1)], [Row("gone", "sum") with { Deleted = true }]);
        await Store(21, 30, hour: 2, [("busy", 0)], [Row("reset", "sum"), Row("again", "sum")], Users(30, "users"));

        Assert.Equal(Nobody, await Idle(before: 0));
        Assert.Equal(Nobody, await Idle(before: 1, within: (1, 0)));
        Assert.Equal(["defined", "idle users", "sum"], await Idle(before: 1));
        Assert.Equal(["defined", "idle users", "sum"], await Idle(before: 2));
        Assert.Equal(["again", "busy", "defined", "idle users", "reset", "sum", "users"], await Idle(before: 3));
        Assert.Equal(Nobody, await Idle(before: 3, of: "other"));

        ulong[] all = [.. await Ask(before: 3, "idle", 0, ulong.MaxValue, 100)];
        Assert.Equal(all.Order(), all);
        Assert.Equal(all[..3], await Ask(before: 3, "idle", 0, ulong.MaxValue, 3));
        Assert.Equal(all[2..5], await Ask(before: 3, "idle", all[2], all[4], 100));

        // A window that is not stored whole makes counters busy: its names come first, its checkpoint last.
        await Store(31, 40, hour: 3, [("sum", 1)], [Row("new", "sum")]);
        Assert.Equal(["again", "busy", "defined", "idle users", "reset", "users"], await Idle(before: 3));

        async Task Store(long from, long to, int hour, (string, long)[] sums, NamedCounter[] names, params DistinctRow[] distincts)
        {
            Checkpoint window = EmbeddedClickHouseFixture.Window(
                log, from, to, sums.Select(s => (Namespace, s.Item1, s.Item2)), names: from == 1, EmbeddedClickHouseFixture.Today + (hour * Hour));
            await store.StoreAsync(
                new Checkpoint
                {
                    Log = log,
                    From = from,
                    To = to,
                    FirstTimeMs = window.FirstTimeMs,
                    LastTimeMs = window.LastTimeMs,
                    Increments = window.Increments,
                    Deltas = window.Deltas,
                    Names = [.. window.Names, .. names],
                    Distincts = distincts,
                },
                CancellationToken.None);
        }

        async Task<IReadOnlyList<ulong>> Ask(int before, string of, ulong first, ulong last, int limit) => await store.ReadIdleAsync(
            new IdleQuestion(log, of, EmbeddedClickHouseFixture.Today + (before * Hour), first, last, limit), CancellationToken.None);

        async Task<string[]> Idle(int before, string of = Namespace, (ulong First, ulong Last)? within = null)
        {
            IReadOnlyList<ulong> ids = await Ask(before, of, within?.First ?? 0, within?.Last ?? ulong.MaxValue, 100);
            return [.. (await store.ReadNamesAsync(of, ids, CancellationToken.None)).Values.Order(StringComparer.Ordinal)];
        }
    }

    private static NamedCounter Row(string name, string kind) =>
        new(Namespace, name, CounterId.Of(Namespace, name), kind, "approximate", new Dictionary<string, string>()) { Generation = kind == "distinct" ? 1 : 0 };

    private static DistinctRow[] Users(long position, params string[] names) =>
    [
        .. names.Select(name => new DistinctRow
        {
            Namespace = Namespace,
            Id = CounterId.Of(Namespace, name),
            Generation = 1,
            Position = position,
            Indexes = [1],
            Ranks = [1],
            IsExact = false,
            ExactCount = 0,
            Added = 1,
            Changes = 1,
            NewElements = 1,
            Variance = 0,
            Sketch = ReadOnlyMemory<byte>.Empty,
            NewMembers = [],
        }),
    ];
}
