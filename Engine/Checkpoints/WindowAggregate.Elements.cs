using System.Runtime.InteropServices;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;
using Sketch.Sketches;

namespace Sketch.Engine.Checkpoints;

/// <content>Elements, deletions and resets.</content>
internal sealed partial class WindowAggregate
{
    private readonly HashSet<(string Namespace, ulong Id)> _restarted = [];
    private readonly Dictionary<(ulong Id, string Item), ItemRow> _items = [];
    private readonly Dictionary<ulong, SeenState> _seen = [];
    private readonly HashSet<StoredMember> _members = [];

    /// <summary>Whether elements of strong and eventual counters are handed over with each window: the live side does that for checkpoints.</summary>
    public bool KeepsMembers { get; init; }

    /// <inheritdoc/>
    public void CountedElements(NamespaceState owner, in ElementPayload payload, in WindowSpan window)
    {
        AddSeen(owner, payload);
        int i = 0;
        foreach (ReadOnlySpan<byte> item in payload.Items)
        {
            ulong id = payload.TopIds[i];
            string text = System.Text.Encoding.UTF8.GetString(item);
            ItemRow before = _items.GetValueOrDefault(
                (id, text), new ItemRow(owner.Definition.Name, id, fold.Counters[id].Generation, text, payload.ItemIds[i], 0));
            _items[(id, text)] = before with { Delta = before.Delta + payload.ItemDeltas[i] };
            i++;
        }
    }

    /// <inheritdoc/>
    public void Removed(NamespaceState owner, ulong id, string name, bool deleted)
    {
        _restarted.Add((owner.Definition.Name, id));
        if (deleted)
        {
            _names[id] = Named(owner, id, name, owner.Definition.Tier) with { Deleted = true };
        }
        else if (fold.Counters.TryGetValue(id, out CounterState? state))
        {
            _names[id] = Named(id, state, fold.Position + 1);
        }
    }

    private void AddSeen(NamespaceState owner, in ElementPayload payload)
    {
        ReadOnlySpan<ulong> ids = payload.DistinctIds;
        ReadOnlySpan<UInt128> hashes = payload.Hashes;
        for (int i = 0; i < ids.Length; i++)
        {
            // A counter begins anew with a window of its own: one window, one generation.
            ref SeenState? seen = ref CollectionsMarshal.GetValueRefOrAddDefault(_seen, ids[i], out _);
            seen ??= new SeenState(owner.Definition.Name, fold.Counters[ids[i]], new HyperLogLog(payload.KeyId));
            seen.Elements.Add((ulong)(hashes[i] >> 64));
            if (KeepsMembers && seen.Counter.Tier != Tier.Approximate)
            {
                _members.Add(new StoredMember(ids[i], seen.Counter.Generation, hashes[i]));
            }
        }
    }

    private SeenElements[] TakeSeen()
    {
        SeenElements[] rows =
        [
            .. _seen.OrderBy(s => s.Value.Namespace, StringComparer.Ordinal).ThenBy(s => s.Key).Select(s =>
            {
                (uint[] indexes, byte[] ranks) = HyperLogLogSql.ToColumn(s.Value.Elements);
                return new SeenElements(s.Value.Namespace, s.Key, s.Value.Counter.Generation, indexes, ranks);
            }),
        ];
        _seen.Clear();
        return rows;
    }

    private StoredMember[] TakeMembers()
    {
        StoredMember[] taken = [.. _members];
        _members.Clear();
        return taken;
    }

    private ItemRow[] TakeItems()
    {
        ItemRow[] rows =
        [
            .. _items.Values.OrderBy(r => r.Namespace, StringComparer.Ordinal).ThenBy(r => r.Id).ThenBy(r => r.Item, StringComparer.Ordinal),
        ];
        _items.Clear();
        return rows;
    }

    private (string Namespace, ulong Id)[] TakeRestarted()
    {
        (string Namespace, ulong Id)[] taken = [.. _restarted.OrderBy(r => r.Namespace, StringComparer.Ordinal).ThenBy(r => r.Id)];
        _restarted.Clear();
        return taken;
    }

    private sealed record SeenState(string Namespace, CounterState Counter, HyperLogLog Elements);
}
