using System.Collections.Immutable;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;

namespace Sketch.Engine.Windows;

/// <content>Elements, deletions and resets.</content>
internal sealed partial class LiveViews
{
    /// <inheritdoc/>
    public void CountedElements(NamespaceState owner, in ElementPayload payload, in WindowSpan window)
    {
        ElementStates elements = _catalogue.Elements;
        if (payload.KeyId != elements.Hasher.KeyId)
        {
            throw new InvalidDataException(
                $"The log's elements at {window.To} were hashed with key {payload.KeyId:x16}; this data folder's secret makes {elements.Hasher.KeyId:x16}: one of them was put in place of another.");
        }

        Volatile.Write(ref _increments, _increments + payload.DistinctCount);
        if (window.To <= _storedPosition)
        {
            return;
        }

        _open.BeginChange();
        ReadOnlySpan<ulong> ids = payload.DistinctIds;
        for (int i = 0; i < ids.Length; i++)
        {
            elements.Add(_fold.Counters[ids[i]], ids[i], payload.Hashes[i], window.To);
        }

        AddItems(payload);
        _open.EndChange(window);
    }

    /// <inheritdoc/>
    public void Removed(NamespaceState owner, ulong id, string name, bool deleted)
    {
        _open.BeginChange();
        _open.Restart(id);
        _catalogue.Elements.Forget(id, _fold.Position + 1);
        if (deleted)
        {
            _catalogue.Remove(id, _catalogue.Namespaces[owner.Index], name, isStored: _fold.Position < _storedPosition);
        }

        _catalogue.DefinitionsAt = _fold.Position + 1;
        _open.EndChange(_fold.Window);
    }

    /// <summary>Puts the items in place that were read from the store; once, before the first reader.</summary>
    public void Load(ImmutableDictionary<ulong, ItemTotals> items)
    {
        lock (_publishing)
        {
            Volatile.Write(ref _view, _view with { Items = items });
        }
    }

    private void AddItems(in ElementPayload payload)
    {
        ReadOnlySpan<ulong> ids = payload.TopIds;
        int i = 0;
        int newItems = 0;
        foreach (ReadOnlySpan<byte> item in payload.Items)
        {
            CounterState counter = _fold.Counters[ids[i]];
            TopWindow top = _open.TopOf(ids[i], counter.Definition.K ?? CounterDefinition.DefaultK);
            bool isKnown = top.Add(payload.ItemIds[i], item, payload.ItemDeltas[i], counter.Tier != Tier.Approximate, _sketchOfOpen);
            newItems += isKnown ? 0 : 1;
            i++;
        }

        _open.AddNewItems(newItems);
    }

    private ImmutableDictionary<ulong, ItemTotals> With(ImmutableDictionary<ulong, ItemTotals> items, IReadOnlyList<ItemRow> rows)
    {
        foreach (IGrouping<ulong, ItemRow> counter in rows.GroupBy(r => r.Id))
        {
            long generation = counter.First().Generation;
            ItemTotals before = items.TryGetValue(counter.Key, out ItemTotals? known) && known.Generation == generation ? known : ItemTotals.Empty(generation);
            bool exact = _catalogue.Defined(counter.Key) is { Tier: not Tier.Approximate };
            items = items.SetItem(counter.Key, before.Plus(counter, exact));
        }

        return items;
    }

    private void CloseElements(in WindowSpan window) => _open.CloseDistincts(_catalogue.Elements.Capture(window.To));
}
