using System.Collections.Frozen;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Tables;
using Sketch.Engine.Totals;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// By namespace, the ids with the largest exact totals. Kept from checkpoint to checkpoint: while totals only grow, whoever enters the list is in the window that
/// was just added. When a total on the list shrinks, somebody who was left out may belong there now, and all totals are looked at again. Of counters out of memory no total
/// is larger than a ceiling: only who could reach the list from there is asked for.
/// </summary>
internal sealed class HeaviestTotals(CounterCatalogue catalogue, int kept)
{
    /// <summary>How many of a namespace the store is asked for: more than are listed, so that what is left out is well below.</summary>
    public int Asked => 8 * kept;

    /// <summary>The most totals that a window asks the store for; when more might matter, the store is asked for the heaviest instead.</summary>
    public const int MostWanted = 4_096;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, List> _byNamespace = [];
    private HashSet<ulong> _pinned = [];

    /// <summary>The ids, for a view.</summary>
    public FrozenDictionary<int, ulong[]> Ids
    {
        get
        {
            lock (_gate)
            {
                return _byNamespace.ToFrozenDictionary(n => n.Key, n => n.Value.Totals.Keys.ToArray());
            }
        }
    }

    /// <summary>Namespaces of whose counters out of memory one may be missing in the list.</summary>
    public IReadOnlyList<int> Doubtful
    {
        get
        {
            lock (_gate)
            {
                return [.. _byNamespace.Where(n => n.Value.IsDoubtful).Select(n => n.Key).Order()];
            }
        }
    }

    /// <summary>A counter leaves memory; any thread.</summary>
    public void Leaves(ushort namespaceIndex, long total)
    {
        lock (_gate)
        {
            List list = ListOf(namespaceIndex);
            list.Ceiling = Math.Max(list.Ceiling, total);
        }
    }

    /// <summary>Takes in counters out of memory as the store has them, at start-up.</summary>
    /// <param name="namespaceIndex">Whose they are.</param>
    /// <param name="counters">The counters.</param>
    public void Offer(ushort namespaceIndex, IReadOnlyList<StoredTotal> counters)
    {
        lock (_gate)
        {
            List list = ListOf(namespaceIndex);
            foreach (StoredTotal counter in counters)
            {
                list.Offer(counter.Id, counter.Total);
            }
        }
    }

    /// <summary>Takes in counters in memory, once all their totals are there, at start-up.</summary>
    /// <param name="table">The totals.</param>
    public void Offer(CounterTable table)
    {
        lock (_gate)
        {
            (int Index, List List) last = (-1, new List(0));
            table.EachLoaded((id, index, total) =>
            {
                last = last.Index == index ? last : (index, ListOf(index));
                last.List.Offer(id, total);
            });
        }
    }

    /// <summary>All counters were offered.</summary>
    /// <returns>Those on the lists, with their totals.</returns>
    public IReadOnlyDictionary<ulong, long> FinishLoading()
    {
        lock (_gate)
        {
            foreach (List list in _byNamespace.Values)
            {
                list.Trim();
                list.SettleLoaded();
            }

            return _byNamespace.Values.SelectMany(l => l.Totals).ToDictionary();
        }
    }

    /// <summary>By namespace, counters out of memory that a window may bring to the list: their totals are needed. Before the window is applied.</summary>
    public Dictionary<string, ulong[]> Wanted(CounterTable table, long epoch, DeltaColumns deltas)
    {
        Dictionary<string, ulong[]> wanted = [];
        lock (_gate)
        {
            foreach (DeltaRun run in deltas.Runs)
            {
                List list = ListOf(catalogue.Find(run.Namespace)!.State.Index);
                if (list.Ceiling == long.MinValue)
                {
                    continue;
                }

                List<ulong> ids = [];
                ReadOnlySpan<long> sums = run.Deltas.Span;
                for (int i = 0; i < sums.Length && ids.Count <= MostWanted; i++)
                {
                    if (list.MayEnter(sums[i]) && !table.At(run.Ids.Span[i], epoch, out _))
                    {
                        ids.Add(run.Ids.Span[i]);
                    }
                }

                if (ids.Count is > 0 and <= MostWanted)
                {
                    wanted.Add(run.Namespace, [.. ids]);
                }
            }
        }

        return wanted;
    }

    /// <summary>Takes in a checkpoint whose deltas are in the totals already.</summary>
    /// <param name="table">The totals with the checkpoint.</param>
    /// <param name="deltas">Its rows.</param>
    /// <param name="fetched">Totals with the checkpoint of counters out of memory.</param>
    public void Take(CounterTable table, DeltaColumns deltas, IReadOnlyDictionary<ulong, long> fetched)
    {
        lock (_gate)
        {
            HashSet<int> shrunk = [];
            foreach (DeltaRun run in deltas.Runs)
            {
                int index = catalogue.Find(run.Namespace)!.State.Index;
                if (Take(ListOf(index), table, run, fetched))
                {
                    shrunk.Add(index);
                }
            }

            if (shrunk.Count > 0)
            {
                Rebuild(table, shrunk);
            }

            foreach (List list in _byNamespace.Values)
            {
                list.Trim();
            }
        }
    }

    /// <summary>The store's heaviest of a namespace, as of the newest checkpoint, make the list anew.</summary>
    /// <param name="namespaceIndex">The namespace.</param>
    /// <param name="heaviest">Heaviest first.</param>
    /// <param name="isAll">Whether there are no more counters.</param>
    public void Replace(int namespaceIndex, IReadOnlyList<StoredTotal> heaviest, bool isAll)
    {
        lock (_gate)
        {
            List list = _byNamespace[namespaceIndex] = new List(kept);
            foreach (StoredTotal counter in heaviest.Take(kept))
            {
                list.Offer(counter.Id, counter.Total);
            }

            list.Trim();
            list.Settle(isAll ? long.MinValue : heaviest[^1].Total);
        }
    }

    /// <summary>Those on the lists now.</summary>
    public HashSet<ulong> Listed()
    {
        lock (_gate)
        {
            return [.. _byNamespace.Values.SelectMany(l => l.Totals.Keys)];
        }
    }

    /// <summary>Those on the lists stay in memory, others need not.</summary>
    public void Pin(CounterTable table)
    {
        HashSet<ulong> now = Listed();
        table.Pin(_pinned.Where(id => !now.Contains(id)), stays: false);
        table.Pin(now, stays: true);
        _pinned = now;
    }

    private static bool Take(List list, CounterTable table, in DeltaRun run, IReadOnlyDictionary<ulong, long> fetched)
    {
        bool shrank = false;
        long raised = list.Ceiling;
        ReadOnlySpan<ulong> ids = run.Ids.Span;
        ReadOnlySpan<long> sums = run.Deltas.Span;
        Span<long> totals = stackalloc long[IdLines.Together];
        for (; !ids.IsEmpty; ids = ids[totals.Length..], sums = sums[totals.Length..])
        {
            totals = totals[..Math.Min(totals.Length, ids.Length)];
            table.Newest(ids[..totals.Length], totals);
            for (int i = 0; i < totals.Length; i++)
            {
                shrank |= sums[i] < 0 && list.Totals.ContainsKey(ids[i]);
                if (totals[i] != CounterTable.NotHere || fetched.TryGetValue(ids[i], out totals[i]))
                {
                    list.Offer(ids[i], totals[i]);
                }
                else if (sums[i] > 0 && list.Ceiling != long.MinValue)
                {
                    list.IsDoubtful |= list.MayEnter(sums[i]);
                    raised = Math.Max(raised, list.Ceiling + sums[i]);
                }
            }
        }

        list.Ceiling = raised;
        return shrank;
    }

    private void Rebuild(CounterTable table, HashSet<int> namespaces)
    {
        foreach (int index in namespaces)
        {
            // Nobody out of memory is on it: only the store knows whether one belongs there now.
            List before = ListOf(index);
            _byNamespace[index] = new List(kept) { Ceiling = before.Ceiling, IsDoubtful = before.Ceiling != long.MinValue };
        }

        table.EachTotal((id, index, total) =>
        {
            if (namespaces.Contains(index))
            {
                ListOf(index).Offer(id, total);
            }
        });
    }

    private List ListOf(int index)
    {
        if (!_byNamespace.TryGetValue(index, out List? list))
        {
            _byNamespace.Add(index, list = new List(kept));
        }

        return list;
    }

    private sealed class List(int kept)
    {
        private long _least = long.MinValue;

        /// <summary>By id; up to eight times as many as are kept, until <see cref="Trim"/>.</summary>
        public Dictionary<ulong, long> Totals { get; } = [];

        /// <summary>No counter out of memory has more; the least number while there is none.</summary>
        public long Ceiling { get; set; } = long.MinValue;

        /// <summary>Whether a counter out of memory may be missing here: the store is asked then.</summary>
        public bool IsDoubtful { get; set; }

        /// <summary>Whether a counter out of memory that gets so much may belong to the list then.</summary>
        public bool MayEnter(long delta) => delta > 0 && (Totals.Count < kept || Ceiling + delta >= _least);

        /// <summary>The list, trimmed, is right as it is, and no counter out of memory has more than the ceiling.</summary>
        public void Settle(long ceiling)
        {
            Ceiling = ceiling == long.MinValue || Totals.Count < kept ? ceiling : Math.Min(ceiling, _least);
            IsDoubtful = false;
        }

        /// <summary>The list, trimmed, was offered all counters but some that are at zero: it is right where enough others are not below that.</summary>
        public void SettleLoaded()
        {
            if (Ceiling == long.MinValue || (Totals.Count >= kept && _least >= 0))
            {
                Settle(Ceiling);
            }
            else
            {
                IsDoubtful = true; // one of those out of memory may be at zero, and the ceiling is not below that
            }
        }

        /// <summary>Puts a counter on the list, or its new total, if it may be among the heaviest.</summary>
        public void Offer(ulong id, long total)
        {
            // Not above the least that was kept it need not enter; and had it been on the list with less, its total would only have grown.
            if (total <= _least)
            {
                return;
            }

            Totals[id] = total;
            if (Totals.Count >= kept * 8)
            {
                Trim();
            }
        }

        /// <summary>Leaves as many as are kept, the heaviest.</summary>
        public void Trim()
        {
            if (Totals.Count <= kept)
            {
                // Those on the list have grown since: who comes on it must weigh more.
                _least = Totals.Count == kept ? Totals.Values.Min() : _least;
                return;
            }

            long[] totals = [.. Totals.Values];
            Array.Sort(totals);
            _least = totals[^kept];
            int ties = kept - totals.Count(t => t > _least);
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
