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

    private readonly Dictionary<int, List> _byNamespace = [];

    /// <summary>The ids, for a view.</summary>
    public FrozenDictionary<int, ulong[]> Ids => _byNamespace.ToFrozenDictionary(n => n.Key, n => n.Value.Totals.Keys.ToArray());

    /// <summary>Looks at all totals.</summary>
    public void Rebuild(ExactTotals totals)
    {
        _byNamespace.Clear();
        foreach ((ulong id, long total) in totals.All())
        {
            if (catalogue.Names.TryGet(id, out NameEntry entry))
            {
                ListOf(entry.NamespaceIndex).Offer(id, total);
            }
        }

        TrimAll();
    }

    /// <summary>Takes in a checkpoint whose deltas are in the totals already.</summary>
    /// <param name="totals">The totals with the checkpoint.</param>
    /// <param name="epoch">The checkpoint's epoch.</param>
    /// <param name="deltas">Its rows.</param>
    public void Take(ExactTotals totals, long epoch, DeltaColumns deltas)
    {
        bool shrank = false;
        foreach (DeltaRun run in deltas.Runs)
        {
            List list = ListOf(catalogue.Find(run.Namespace)!.State.Index);
            ReadOnlySpan<ulong> ids = run.Ids.Span;
            ReadOnlySpan<long> sums = run.Deltas.Span;
            for (int i = 0; i < ids.Length; i++)
            {
                shrank |= sums[i] < 0 && list.Totals.ContainsKey(ids[i]);
                list.Offer(ids[i], totals.At(ids[i], epoch));
            }
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

    private List ListOf(int index)
    {
        if (!_byNamespace.TryGetValue(index, out List? list))
        {
            _byNamespace.Add(index, list = new List());
        }

        return list;
    }

    private void TrimAll()
    {
        foreach (List list in _byNamespace.Values)
        {
            list.Trim();
        }
    }

    private sealed class List
    {
        private long _least = long.MinValue;

        public Dictionary<ulong, long> Totals { get; } = [];

        public void Offer(ulong id, long total)
        {
            // Below the least that was kept it can't enter; and had it been on the list, its total would only have grown.
            if (total < _least)
            {
                return;
            }

            Totals[id] = total;
            if (Totals.Count >= Kept * 8)
            {
                Trim();
            }
        }

        public void Trim()
        {
            if (Totals.Count <= Kept)
            {
                return;
            }

            long[] totals = [.. Totals.Values];
            Array.Sort(totals);
            _least = totals[^Kept];
            int ties = Kept - totals.Count(t => t > _least);
            foreach ((ulong id, long total) in Totals.ToArray())
            {
                if (total < _least || (total == _least && ties-- <= 0))
                {
                    Totals.Remove(id);
                }
            }
        }
    }
}
