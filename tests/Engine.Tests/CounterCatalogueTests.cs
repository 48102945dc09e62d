using System.Text;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;
using Sketch.Engine.Totals;

namespace Sketch.Tests.Engine;

public sealed class CounterCatalogueTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    [Fact]
    public async Task A_name_that_the_log_holds_is_not_held_as_on_its_way_whoever_was_first()
    {
        const int Names = 200_000;
        CounterCatalogue catalogue = new(new ElementStates(new ElementHasher(Secret)), new CounterTable(Secret, 1 << 30));
        NamespaceEntry owner = new(new NamespaceState(0, new NamespaceDefinition("n", Tier.Eventual)));
        int entered = 0;

        // The door enters each name right when the fold declares it, a little before or after.
        Task door = Task.Run(() =>
        {
            for (int i = 0; i < Names; i++)
            {
                catalogue.Enter((ulong)i + 1, owner, Name(i));
                Volatile.Write(ref entered, i + 1);
            }
        });
        for (int i = 0; i < Names; i++)
        {
            SpinWait wait = default;
            while (Volatile.Read(ref entered) < i)
            {
                wait.SpinOnce(sleep1Threshold: -1);
            }

            catalogue.Declare((ulong)i + 1, owner, Name(i), out _);
        }

        await door;
        Assert.All(Enumerable.Range(0, Names), i => Assert.Null(catalogue.Entered((ulong)i + 1)));
    }

    private static byte[] Name(int i) => Encoding.UTF8.GetBytes($"name-{i}");
}
