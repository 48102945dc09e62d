using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Tests.Engine.Log;

namespace Sketch.Tests.Engine;

/// <summary>What the log says of expiring counters: the same to whoever reads it, from wherever.</summary>
public sealed class ExpiryFoldTests
{
    [Fact]
    public void A_removal_takes_only_what_its_own_record_names()
    {
        LogFold fold = new();
        Deletions deletions = new();
        long position = 0;
        Apply(RecordKind.Definition, new DefinitionRecord(new NamespaceDefinition("n"), null).ToBytes());
        Apply(RecordKind.Expiring, new ExpiringRecord("n", ["a", "b"]).ToBytes());
        Apply(RecordKind.Expiring, new ExpiringRecord("n", ["b", "c"]).ToBytes());
        Apply(RecordKind.Removal, new RemovalRecord("n", ["a", "b"], true, 2).ToBytes());
        Assert.Equal(2, fold.Expiring.Names.Count);
        Assert.Empty(deletions.Names);
        Apply(RecordKind.Removal, new RemovalRecord("n", ["a", "b"], true, 3).ToBytes());
        Assert.Empty(fold.Expiring.Names);
        Apply(RecordKind.Removal, new RemovalRecord("n", ["c"], true, 3).ToBytes());
        Assert.Equal(["b at 5"], deletions.Names);

        void Apply(RecordKind kind, byte[] payload)
        {
            deletions.Position = ++position;
            fold.Apply(
                new LoggedRecord { Position = position, TimeMs = position, Kind = kind, Producer = 0, Sequence = 0, AppendId = 0, Payload = payload }, deletions);
        }
    }

    [Fact]
    public void The_longest_names_fit_into_a_record()
    {
        // Quotation marks are what JSON makes most of.
        string[] names = [.. Enumerable.Range(0, ExpiringRecord.MostNames).Select(i => $"{i:d4}".PadRight(256, '"'))];
        Assert.InRange(new RemovalRecord(new string('n', 64), names, true, long.MaxValue).ToBytes().Length, 1, RecordFrame.MaxPayloadBytes);
    }

    [Fact]
    public void Records_of_earlier_releases_mean_thirty_days()
    {
        DefinitionRecord record = DefinitionRecord.From("""{"namespace":{"name":"n","tier":"Strong","durable":false,"retentionDays":7,"maxCounters":5}}"""u8);
        Assert.Equal(new NamespaceDefinition("n", Tier.Strong, RetentionDays: 7, MaxCounters: 5, LifetimeDays: 30), record.Namespace);
    }

    [Fact]
    public void A_snapshot_of_the_earlier_version_is_read()
    {
        using TempFolder folder = new();
        LogFold fold = new();
        fold.Restore(7, 3, [new DefinitionRecord(new NamespaceDefinition("n"), null)], [1]);
        SnapshotFile file = new(new LinuxDisk(), folder.Path);
        Assert.Null(file.Read());
        file.Write(Snapshot.Of(fold, new LogIdentity(5, 0), 7, 1_000) with { Version = 2 });
        Assert.DoesNotContain("expiring", File.ReadAllText(Path.Combine(folder.Path, "snapshot")), StringComparison.Ordinal);
        Assert.Equal((7, 0), (file.Read()!.ToFold().Position, file.Read()!.ToFold().Expiring.Names.Count));
    }

    /// <summary>Runs of expiry, cut off or not, with increments at every moment of them: whoever folds the log from a snapshot at the end of any window deletes the same.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_fold_from_any_snapshot_deletes_the_same(int seed)
    {
        Random random = new(seed);
        await using Rig rig = await Rig.Open((Tier)(1 + (seed % 3)));
        rig.Lifetime = TimeSpan.FromSeconds(20);
        for (int step = 0; step < 150; step++)
        {
            rig.Store.BeforeNames = rig.Store.BeforeIdle = random.Next(3) == 0 ? () => Task.CompletedTask : Some;
            switch (random.Next(6))
            {
                case 0:
                    await rig.BeginToExpire();
                    break;
                case 1 or 2:
                    await rig.Expire();
                    break;
                case 3:
                    await rig.Pass(TimeSpan.FromSeconds(random.Next(1, 30)));
                    break;
                default:
                    await Some();
                    break;
            }
        }

        Assert.True(rig.Engine.Status.ExpiredCounters > 10, $"only {rig.Engine.Status.ExpiredCounters} expired");
        await rig.Checkpoint();
        (Deletions all, List<Snapshot> snapshots, LogFold last) = await FoldAsync(rig.Log, new LogFold());
        Assert.True(snapshots.Count(s => s.Expiring is not null) > 5);
        foreach (Snapshot snapshot in snapshots)
        {
            (Deletions rest, _, LogFold fold) = await FoldAsync(rig.Log, snapshot.ToFold());
            Assert.Equal(all.Names.Where(n => long.Parse(n.Split(' ')[^1], null) > snapshot.Position), rest.Names);
            Assert.Equal(last.Removed, fold.Removed);
            Assert.Equal(last.Expiring.Names, fold.Expiring.Names);
        }

        async Task Some() => await (random.Next(4) == 0 ? rig.Pass(TimeSpan.FromSeconds(1)) : rig.Add($"c{random.Next(12)}", 1));
    }

    private static async Task<(Deletions Deletions, List<Snapshot> Snapshots, LogFold Fold)> FoldAsync(EmbeddedLog log, LogFold fold)
    {
        Deletions deletions = new();
        List<Snapshot> snapshots = [];
        deletions.Closed = (to, timeMs) => snapshots.Add(Snapshot.Of(fold, log.Identity, to, timeMs));
        await foreach (LogSlice slice in log.ReadAsync(fold.Position + 1, follow: false, CancellationToken.None))
        {
            using (slice)
            {
                foreach (LoggedRecord record in slice)
                {
                    deletions.Position = record.Position;
                    fold.Apply(record, deletions);
                }
            }
        }

        return (deletions, snapshots, fold);
    }

    /// <summary>Notes what is deleted and where.</summary>
    private sealed class Deletions : IFoldSink
    {
        public long Position { get; set; }

        public List<string> Names { get; } = [];

        public Action<long, long> Closed { get; set; } = static (_, _) => { };

        public void WindowClosed(in WindowSpan window) => Closed(window.To, window.LastTimeMs);

        public void Removed(NamespaceState owner, ulong id, string name, bool deleted) => Names.Add($"{name} at {Position}");

        public void Counted(NamespaceState owner, in IncrementPayload payload, in WindowSpan window)
        {
        }

        public void CountedElements(NamespaceState owner, in ElementPayload payload, in WindowSpan window)
        {
        }

        public void ExpiringChanged()
        {
        }

        public void Defined(NamespaceState state)
        {
        }

        public void Defined(ulong id, CounterState state)
        {
        }
    }
}
