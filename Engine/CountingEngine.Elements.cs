using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Elements;
using Sketch.Engine.Reads;

namespace Sketch.Engine;

/// <content>What verification compares of counters that take elements; the checkpoint stays where it is for as long as its caller holds the store still.</content>
public sealed partial class CountingEngine
{
    /// <summary>Ids of counters of a kind that are defined.</summary>
    /// <param name="kind">distinct or top.</param>
    public IReadOnlyList<ulong> CountersOf(CounterKind kind) => _catalogue.DefinedOf(kind);

    /// <summary>The position at which a defined counter began or was reset last; null when there is none.</summary>
    /// <param name="id">The counter.</param>
    public long? GenerationOf(ulong id) => _catalogue.Defined(id)?.Generation;

    /// <summary>
    /// A counter of the kind distinct; null when there is none in memory, or it began after the checkpoint. At the moment at which a window is closed what came
    /// after may be told without a part of it: who finds a difference looks again.
    /// </summary>
    /// <param name="id">The counter.</param>
    public DistinctCut? DistinctAtCheckpoint(ulong id)
    {
        // The state first: what a window takes over from it in between is then seen twice, which changes nothing.
        if (_catalogue.Defined(id) is not { Kind: CounterKind.Distinct } counter || _catalogue.Elements.Held(id, counter) is not { } held)
        {
            return null;
        }

        LiveView view = _views.View;
        if (counter.Generation > view.ExactPosition)
        {
            return null;
        }

        Dictionary<uint, byte> raised = [];
        Raise(raised, held.Raised.Indexes, held.Raised.Ranks);
        HashSet<UInt128> members = held.Members;
        members.ExceptWith(held.NewMembers);
        DistinctRow[] rows = [.. view.Windows.SelectMany(w => w.Distincts).Where(r => r.Id == id && r.Generation == counter.Generation)];
        foreach (DistinctRow row in rows)
        {
            Raise(raised, row.Indexes, row.Ranks);
            members.ExceptWith(row.NewMembers);
        }

        Dictionary<uint, byte> registers = [];
        Raise(registers, held.Registers.Indexes, held.Registers.Ranks);
        return new DistinctCut(counter.Generation, held.IsExact, members, registers, raised, held.Value, held.IsTouched || rows.Length > 0);
    }

    /// <summary>A counter of the kind top; null when there is none in memory, or it began anew since.</summary>
    /// <param name="id">The counter.</param>
    public ItemsCut? ItemsAtCheckpoint(ulong id)
    {
        if (_catalogue.Defined(id) is not { Kind: CounterKind.Top } counter || Settled(_views.View, counter, id) is not { } items)
        {
            return null;
        }

        return new ItemsCut(items.Generation, items.Floor, items.Items.Values.ToDictionary(i => i.Text, i => (i.Total, i.Upper), StringComparer.Ordinal));
    }

    private static void Raise(Dictionary<uint, byte> registers, IReadOnlyList<uint> indexes, IReadOnlyList<byte> ranks)
    {
        for (int i = 0; i < indexes.Count; i++)
        {
            registers[indexes[i]] = Math.Max(ranks[i], registers.GetValueOrDefault(indexes[i]));
        }
    }
}
