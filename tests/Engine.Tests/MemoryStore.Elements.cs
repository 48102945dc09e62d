using System.Runtime.CompilerServices;
using Sketch.Engine.Checkpoints;

namespace Sketch.Tests.Engine;

/// <content>Counters that take elements.</content>
internal sealed partial class MemoryStore
{
    private readonly Dictionary<(ulong Id, long Generation), StoredDistinct> _distincts = [];
    private readonly HashSet<StoredMember> _members = [];

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

    private void ApplyElements(Checkpoint checkpoint)
    {
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
            _members.UnionWith(row.NewMembers.Select(m => new StoredMember(row.Id, row.Generation, m)));
        }
    }
}
