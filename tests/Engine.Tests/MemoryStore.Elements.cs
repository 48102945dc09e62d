using System.Runtime.CompilerServices;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Tests.Engine;

/// <content>Counters that take elements.</content>
internal sealed partial class MemoryStore
{
    private readonly Dictionary<(ulong Id, long Generation), StoredDistinct> _distincts = [];
    private readonly HashSet<StoredMember> _members = [];
    private readonly Dictionary<(ulong Id, long Generation, string Item), long> _items = [];

    /// <summary>The states of distinct counters.</summary>
    public IReadOnlyCollection<StoredDistinct> Distincts => _distincts.Values;

    public async IAsyncEnumerable<IReadOnlyList<StoredDistinct>> ReadDistinctsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        yield return [.. _distincts.Values.GroupBy(d => d.Id).Select(g => g.MaxBy(d => d.Generation)!)];
    }

    public async IAsyncEnumerable<IReadOnlyList<StoredMember>> ReadMembersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        yield return [.. _members];
    }

    /// <summary>An item's total.</summary>
    public long Item(string @namespace, string name, string item)
    {
        lock (_gate)
        {
            return _counters.Values.Where(c => c.Named.Namespace == @namespace && c.Named.Name == name && !c.Named.Deleted)
                .Sum(c => _items.GetValueOrDefault((c.Named.Id, c.Named.Generation, item)));
        }
    }

    public async IAsyncEnumerable<IReadOnlyList<StoredItem>> ReadItemsAsync(
        LogIdentity log, long position, int limit, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        yield return
        [
            .. _items.Where(i => _counters[i.Key.Id].Named.Generation == i.Key.Generation)
                .Select(i => new StoredItem(i.Key.Id, i.Key.Generation, i.Key.Item, i.Value))
                .OrderBy(i => i.Id).ThenByDescending(i => i.Value).GroupBy(i => i.Id).SelectMany(g => g.Take(limit)),
        ];
    }

    public ValueTask<IReadOnlyList<SeenPoint>> ReadSeenAsync(
        string @namespace, ulong id, long generation, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            long stepMs = stepHours * 3_600_000L;
            IEnumerable<SeenPoint> points =
                from checkpoint in Checkpoints
                from row in checkpoint.Seen
                where row.Namespace == @namespace && row.Id == id && row.Generation == generation
                    && checkpoint.FirstTimeMs >= @from.ToUnixTimeMilliseconds() && checkpoint.FirstTimeMs < to.ToUnixTimeMilliseconds()
                group row by checkpoint.FirstTimeMs / stepMs * stepMs into step
                orderby step.Key
                let registers = step.SelectMany(r => r.Indexes.Zip(r.Ranks)).GroupBy(r => r.First).Select(g => (Index: g.Key, Rank: g.Max(r => r.Second))).ToArray()
                select new SeenPoint(DateTimeOffset.FromUnixTimeMilliseconds(step.Key), [.. registers.Select(r => r.Index)], [.. registers.Select(r => r.Rank)]);
            return new([.. points]);
        }
    }

    private void ApplyElements(Checkpoint checkpoint)
    {
        foreach (ItemRow row in checkpoint.Items)
        {
            (ulong, long, string) key = (row.Id, row.Generation, row.Item);
            _items[key] = _items.GetValueOrDefault(key) + row.Delta;
        }

        foreach (DistinctRow row in checkpoint.Distincts)
        {
            SortedDictionary<uint, byte> registers = [];
            StoredDistinct? before = _distincts.GetValueOrDefault((row.Id, row.Generation));
            IEnumerable<(uint, byte)> known = before is null ? [] : before.Indexes.Zip(before.Ranks);
            foreach ((uint index, byte rank) in known.Concat(row.Indexes.Zip(row.Ranks)))
            {
                registers[index] = Math.Max(registers.GetValueOrDefault(index), rank);
            }

            Assert.True(before is null || before.Position <= row.Position);
            _distincts[(row.Id, row.Generation)] = new StoredDistinct(
                row.Id, row.Generation, row.Position, [.. registers.Keys], [.. registers.Values], row.IsExact, row.ExactCount, row.Added, row.Changes,
                row.NewElements, row.Variance, row.Sketch.ToArray());
        }

        AddMembers(checkpoint);
    }

    private void AddMembers(Checkpoint checkpoint) =>
        _members.UnionWith(checkpoint.Distincts.SelectMany(row => row.NewMembers.Select(m => new StoredMember(row.Id, row.Generation, m))));
}
