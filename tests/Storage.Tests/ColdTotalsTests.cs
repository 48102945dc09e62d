using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Storage.Store;

namespace Sketch.Tests.Storage;

/// <summary>Totals and names that the engine reads through, from the real ClickHouse.</summary>
[Collection(EmbeddedClickHouseGroup.Name)]
public class ColdTotalsTests(EmbeddedClickHouseFixture fixture)
{
    [Fact]
    public async Task Totals_are_those_of_the_position_whatever_was_stored_after_it()
    {
        LogIdentity log = EmbeddedClickHouseFixture.NewLog();
        ClickHouseStore store = fixture.Store;
        await store.StoreAsync(Window(log, 1, 10, ("a", 5), ("b", 7)), CancellationToken.None);
        await store.StoreAsync(Window(log, 11, 20, ("a", 100), ("c", 1)), CancellationToken.None);

        Assert.Equal((5, 7, 0), await Read(10));
        Assert.Equal((105, 7, 1), await Read(20));
        Assert.Empty(await store.ReadTotalsAsync(log, 20, "cold", [12345], CancellationToken.None));
        Assert.Empty(await store.ReadTotalsAsync(log, 20, "cold", [], CancellationToken.None));
        Assert.Empty(await store.ReadTotalsAsync(log, 20, "elsewhere", [Id("a")], CancellationToken.None));

        Assert.Equal(
            [new StoredTotal(Id("a"), 105), new StoredTotal(Id("b"), 7)], await store.ReadHeaviestAsync("cold", 2, CancellationToken.None));
        IReadOnlyDictionary<ulong, string> names = await store.ReadNamesAsync("cold", [Id("a"), Id("c"), 12345], CancellationToken.None);
        Assert.Equal([(Id("a"), "a"), (Id("c"), "c")], names.Select(n => (n.Key, n.Value)).OrderBy(n => n.Value, StringComparer.Ordinal));

        async Task<(long A, long B, long C)> Read(long position)
        {
            IReadOnlyDictionary<ulong, long> totals = await store.ReadTotalsAsync(log, position, "cold", [Id("a"), Id("b"), Id("c")], CancellationToken.None);
            return (totals[Id("a")], totals[Id("b")], totals.GetValueOrDefault(Id("c")));
        }
    }

    private static ulong Id(string name) => CounterId.Of("cold", name);

    private static Checkpoint Window(LogIdentity log, long from, long to, params (string Name, long Delta)[] sums) =>
        EmbeddedClickHouseFixture.Window(log, from, to, [.. sums.Select(s => ("cold", s.Name, s.Delta))]);
}
