using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;
using Sketch.Tests.Engine.Log;

namespace Sketch.Tests.Engine;

public sealed class SnapshotTests
{
    [Fact]
    public void A_snapshot_of_many_definitions_goes_through_a_file_piece_by_piece()
    {
        using TempFolder folder = new();
        LogFold fold = new();
        fold.Restore(
            7, 3,
            [
                new DefinitionRecord(new NamespaceDefinition("n", Tier.Eventual), null),
                .. Enumerable.Range(0, 5_000).Select(i => new DefinitionRecord(
                    null, new CounterRecord("n", new CounterDefinition($"counter {i}", CounterKind.Distinct, Tier.Approximate), i))),
            ],
            [12]);
        SnapshotFile file = new(new LinuxDisk(), folder.Path);
        Assert.Null(file.Read());

        file.Write(Snapshot.Of(fold, new LogIdentity(5, 0), 7, 1_000));

        Assert.True(new FileInfo(Path.Combine(folder.Path, "snapshot")).Length > 300_000); // several of the writer's pieces
        LogFold read = file.Read()!.ToFold();
        Assert.Equal(fold.Namespaces.Select(n => n.Definition), read.Namespaces.Select(n => n.Definition));
        Assert.Equal(
            fold.Counters.Select(c => (c.Key, c.Value.Definition, c.Value.Generation)).Order(Comparer<(ulong Key, CounterDefinition, long)>.Create((a, b) => a.Key.CompareTo(b.Key))),
            read.Counters.Select(c => (c.Key, c.Value.Definition, c.Value.Generation)).Order(Comparer<(ulong Key, CounterDefinition, long)>.Create((a, b) => a.Key.CompareTo(b.Key))));
        Assert.Equal((7L, 3L, 12L), (read.Position, read.LastTierChange, read.Namespaces[0].Weight));
    }
}
