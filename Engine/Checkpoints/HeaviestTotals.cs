using System.Collections.Frozen;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Totals;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// By namespace, the ids with the largest exact totals. Kept from checkpoint to checkpoint: while totals only grow, whoever enters the list is in the window that
/// was just added. When a total on the list shrinks, somebody who was left out may belong there now, and all totals are looked at again.
/// </summary>
internal sealed class HeaviestTotals(CounterCatalogue catalogue)
{
    /// <summary>How many are kept a namespace.</summary>
    public const int Kept = 1_024;

    private readonly Dictionary<int, Dictionary<ulong, long>> _byNamespace = [];

    /// <summary>The ids, for a view.</summary>
    public FrozenDictionary<int, ulong[]> Ids => _byNamespace.ToFrozenDictionary(n => n.Key, n => n.Value.Keys.ToArray());

    /// <summary>Looks at all totals.</summary>
    public void Rebuild(ExactTotals totals)
    {
        _byNamespace.Clear();
        foreach ((ulong id, long total) in totals.All())
        {
            if (catalogue.Names.TryGet(id, out NameEntry entry))
            {
                Offer(entry.NamespaceIndex, id, total);
            }
        }

        TrimAll();
    }

    /// <summary>Takes in a checkpoint whose deltas are in the totals already.</summary>
    /// <param name="totals">The totals with the checkpoint.</param>
    /// <param name="epoch">The checkpoint's epoch.</param>
    /// <param name="deltas">Its rows.</param>
    public void Take(ExactTotals totals, long epoch, IReadOnlyList<DeltaRow> deltas)
    {
        bool shrank = false;
        foreach (DeltaRow row in deltas)
        {
            int index = catalogue.Find(row.Namespace)!.State.Index;
            shrank |= row.Delta < 0 && _byNamespace.TryGetValue(index, out Dictionary<ulong, long>? list) && list.ContainsKey(row.Id);
            Offer(index, row.Id, totals.At(row.Id, epoch));
        }

        if (shrank)
        {
            Rebuild(totals);
        }
        else
        {
            TrimAll();
        }
    }

    private void Offer(int index, ulong id, long total)
    {
        if (!_byNamespace.TryGetValue(index, out Dictionary<ulong, long>? list))
        {
            _byNamespace.Add(index, list = []);
        }

        list[id] = total;
        if (list.Count >= Kept * 8)
        {
            Trim(list);
        }
    }

    private void TrimAll()
    {
        foreach (Dictionary<ulong, long> list in _byNamespace.Values)
        {
            Trim(list);
        }
    }

    private static void Trim(Dictionary<ulong, long> list)
    {
        if (list.Count <= Kept)
        {
            return;
        }

        long[] totals = [.. list.Values];
        Array.Sort(totals);
        long least = totals[^Kept];
        int ties = Kept - totals.Count(t => t > least);
        foreach ((ulong id, long total) in list.ToArray())
        {
            if (total < least || (total == least && ties-- <= 0))
            {
                list.Remove(id);
            }
        }
    }
}
