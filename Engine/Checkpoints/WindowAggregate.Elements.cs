using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;

namespace Sketch.Engine.Checkpoints;

/// <content>Elements, deletions and resets.</content>
internal sealed partial class WindowAggregate
{
    private readonly HashSet<(string Namespace, ulong Id)> _restarted = [];
    private readonly Dictionary<(ulong Id, string Item), ItemRow> _items = [];

    /// <inheritdoc/>
    public void CountedElements(NamespaceState owner, in ElementPayload payload, in WindowSpan window)
    {
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
            _names[id] = Named(owner, id, new CounterDefinition(name), owner.Definition.Tier, 0) with { Deleted = true };
        }
        else if (fold.Counters.TryGetValue(id, out CounterState? state))
        {
            _names[id] = Named(owner, id, state.Definition, state.Tier, fold.Position + 1);
        }
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
}
