using System.Collections.Frozen;
using System.Text;
using Sketch.Accuracy;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Fold;
using Sketch.Engine.Windows;
using Sketch.Sketches;

namespace Sketch.Engine.Reads;

/// <summary>Reads values from the published view: exact total, plus what the windows after it hold, plus how wrong that can be.</summary>
internal sealed partial class CounterReads(CounterCatalogue catalogue, LiveViews views, RecordCuts cuts, GhostCache ghosts, NameCache names, TimeProvider time)
{
    private static readonly FrozenDictionary<string, string> NoLabels = FrozenDictionary<string, string>.Empty;

    private readonly RateBook _rates = new();

    private long _hits;
    private long _misses;

    /// <summary>Totals that reads found in memory.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>Totals that they did not find there.</summary>
    public long Misses => Volatile.Read(ref _misses);

    /// <summary>Whether a namespace has a counter of this name.</summary>
    public bool Has(NamespaceEntry owner, string name) => Find(owner, name).Exists;

    /// <summary>Values as one consistent cut. One counter alone needs no position of its own, only a view: such a read never waits for the fold.</summary>
    /// <param name="owner">The namespace.</param>
    /// <param name="wanted">Names.</param>
    /// <param name="confidence">In (0.5, 1).</param>
    /// <param name="loaded">Totals that were read from the store because they were missing.</param>
    /// <param name="missing">Ids whose totals are neither in memory nor among those; their values are null.</param>
    public IReadOnlyList<CounterValue?> Read(
        NamespaceEntry owner, IReadOnlyList<string> wanted, double confidence, LoadedTotals loaded, out IReadOnlyList<ulong> missing) =>
        Cut(owner, wanted, 0, confidence, loaded, out _, out missing, atOnePosition: wanted.Count > 1).Values;

    /// <summary>The heaviest; of counters whose name or total is not in memory the ids are told.</summary>
    public IReadOnlyList<CounterValue> Top(
        NamespaceEntry owner, int k, double confidence, LoadedTotals loaded, out IReadOnlyList<ulong> unnamed, out IReadOnlyList<ulong> missing) =>
        Cut(owner, [], k, confidence, loaded, out unnamed, out missing).Heaviest;

    /// <summary>Values of named counters and the heaviest ones as of one position.</summary>
    public CounterCut Cut(
        NamespaceEntry owner, IReadOnlyList<string> wanted, int k, double confidence, LoadedTotals loaded,
        out IReadOnlyList<ulong> unnamed, out IReadOnlyList<ulong> missing, bool atOnePosition = true)
    {
        Target[] named = new Target[wanted.Count];
        for (int i = 0; i < named.Length; i++)
        {
            named[i] = Find(owner, wanted[i]);
        }

        // A counter that a batch made after that is looked for again within the cut: its batch may be in the other values.
        Target[] Targets(LiveView view)
        {
            for (int i = 0; i < named.Length; i++)
            {
                if (!named[i].Exists)
                {
                    named[i] = Find(owner, wanted[i]);
                }
            }

            return k == 0 ? named : [.. named, .. Candidates(owner, view)];
        }

        Seen cut = Take(named.Length, Targets, atOnePosition, confidence, loaded);
        missing = Missing(cut);
        CounterValue?[] values = new CounterValue?[named.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = named[i].Exists && !cut.Parts[i].IsMissing ? ToValue(owner, cut, i, confidence) : null;
        }

        List<ulong> nameless = [];
        IReadOnlyList<CounterValue> heaviest = k == 0 ? [] : Heaviest(owner, cut, named.Length, k, confidence, nameless);
        unnamed = nameless;
        return new CounterCut(cut.AsOf, values, heaviest);
    }

    // Names are looked up only of those that may be listed: as heavy as the k-th.
    private CounterValue[] Heaviest(NamespaceEntry owner, Seen cut, int from, int k, double confidence, List<ulong> nameless)
    {
        (int At, long Value)[] ranked =
        [
            .. Enumerable.Range(from, cut.Targets.Length - from)
                .Where(i => !cut.Parts[i].IsMissing)
                .Select(i => (i, ValueOf(cut, i, confidence).Value))
                .OrderByDescending(c => c.Value),
        ];
        long least = ranked.Length > k ? ranked[k - 1].Value : long.MinValue;
        List<CounterValue> values = [];
        foreach ((int at, _) in ranked.TakeWhile(c => c.Value >= least))
        {
            if (NameOf(cut.View, cut.Targets[at]) is { } name)
            {
                cut.Targets[at] = cut.Targets[at] with { Name = name };
                values.Add(ToValue(owner, cut, at, confidence));
            }
            else
            {
                nameless.Add(cut.Targets[at].Id);
            }
        }

        return [.. values.OrderByDescending(v => v.Value).ThenBy(v => v.Name, StringComparer.Ordinal).Take(k)];
    }

    private List<ulong> Missing(Seen cut)
    {
        List<ulong> missing = [];
        int hits = 0;
        for (int i = 0; i < cut.Targets.Length; i++)
        {
            if (cut.Parts[i].IsMissing)
            {
                missing.Add(cut.Targets[i].Id);
            }
            else if (cut.Targets[i].Exists)
            {
                hits++;
                catalogue.Counters.Touch(cut.Targets[i].Id);
            }
        }

        Interlocked.Add(ref _hits, hits);
        if (missing.Count > 0)
        {
            Interlocked.Add(ref _misses, missing.Count);
        }

        return missing;
    }

    // Window by window and all counters in each, so that a sketch's cells are fetched ahead.
    private Parts[] Sum(LiveView view, Target[] targets, LoadedTotals loaded, double confidence)
    {
        Parts[] parts = new Parts[targets.Length];
        ulong[] ids = new ulong[targets.Length];
        uint[] estimates = new uint[targets.Length];
        for (int i = 0; i < targets.Length; i++)
        {
            ids[i] = targets[i].Id;
            if (targets[i].Exists)
            {
                parts[i] = Exact(view, ids[i], loaded);
            }
        }

        foreach (LiveWindow window in view.Windows)
        {
            CountMinSketch? sketch = window.Sketch;
            sketch?.Estimate(ids, estimates);
            for (int i = 0; i < targets.Length; i++)
            {
                if (targets[i].Exists)
                {
                    Add(ref parts[i], targets[i], window, sketch is null ? 0 : estimates[i]);
                }
            }
        }

        for (int i = 0; i < targets.Length; i++)
        {
            if (targets[i].Counter is { Kind: CounterKind.Distinct } counter)
            {
                parts[i] = new Parts { Exact = parts[i].Exact, IsMissing = parts[i].IsMissing, Distinct = catalogue.Elements.Count(ids[i], counter, confidence) };
            }
        }

        return parts;
    }

    private Parts Exact(LiveView view, ulong id, LoadedTotals loaded)
    {
        // What came before a window in which the counter begins anew does not count, whatever it was.
        if (catalogue.Counters.At(id, view.Epoch, out long exact) || Array.Exists(view.Windows, w => w.Restarts(id)))
        {
            return new Parts { Exact = exact };
        }

        return loaded.Epoch == view.Epoch && loaded.ById.TryGetValue(id, out exact) ? new Parts { Exact = exact } : new Parts { IsMissing = true };
    }

    private static Parts Sum(LiveView view, in Target target, long exact)
    {
        Parts parts = new() { Exact = exact };
        foreach (LiveWindow window in view.Windows)
        {
            Add(ref parts, target, window, window.Sketch?.Estimate(target.Id) ?? 0);
        }

        return parts;
    }

    private static void Add(ref Parts parts, in Target target, LiveWindow window, uint estimate)
    {
        if (window.Restarts(target.Id))
        {
            parts = default;
        }

        if (window.Exact.TryGet(target.Id, out long delta))
        {
            parts.Live += delta;
        }

        if (target.IsApproximate || target.ApproximateUntil >= window.From)
        {
            parts.Sketched += estimate;
            parts.Saturated |= estimate == CountMinSketch.SaturatedEstimate;
        }
    }

    private static Estimate ValueOf(Seen cut, int at, double confidence)
    {
        ref Parts parts = ref cut.Parts[at];
        return parts.Distinct
            ?? LiveEstimate.From(parts.Exact, parts.Sketched, parts.Live, cut.Error.Quantile, cut.Error.Median, confidence, parts.Saturated);
    }

    // Of the windows first: a name that is stored meanwhile is then found in the store.
    private string? NameOf(LiveView view, in Target target)
    {
        if (target.Counter is { } counter)
        {
            return counter.Definition.Name;
        }

        foreach (LiveWindow window in view.Windows)
        {
            if (window.NameOf(target.Id) is { } name)
            {
                return name;
            }
        }

        return names.Find(target.Id);
    }

    private CounterValue ToValue(NamespaceEntry owner, Seen cut, int at, double confidence)
    {
        LiveView view = cut.View;
        Target target = cut.Targets[at];
        Parts parts = cut.Parts[at];
        Estimate estimate = ValueOf(cut, at, confidence);
        DateTimeOffset now = cut.AsOf;
        long nowMs = now.ToUnixTimeMilliseconds();
        (double? lately, double? fiveMinutes) = _rates.Mark(target.Id, nowMs, estimate.Value);
        double sinceExact = parts.Distinct is not null ? 0 : (estimate.Value - parts.Exact) / Seconds(view, nowMs);
        return new CounterValue(
            owner.State.Definition.Name,
            target.Name,
            Lowercase<CounterKind>.Of(target.Counter?.Kind ?? CounterKind.Sum),
            Lowercase<Tier>.Of(target.Tier),
            estimate.Value,
            estimate.Lower,
            estimate.Upper,
            estimate.Confidence,
            estimate.IsExact,
            view.ExactAsOf(now),
            Math.Round(lately ?? sinceExact, 3),
            target.Labels)
        {
            RatePerSecond5m = Math.Round(fiveMinutes ?? lately ?? sinceExact, 3),
        };
    }

    // How long the live part has been live: what a first read can say of a rate.
    private static double Seconds(LiveView view, long nowMs) =>
        view.Windows[0].FirstTimeMs is var since and not 0 ? Math.Max(1, (nowMs - since) / 1000.0) : 1;

    private Target Find(NamespaceEntry owner, string name)
    {
        int length = Encoding.UTF8.GetByteCount(name);
        if (length is 0 or > EngineLimits.MaxNameBytes)
        {
            return default;
        }

        Span<byte> utf8 = stackalloc byte[length];
        Encoding.UTF8.GetBytes(name, utf8);
        ulong id = CounterId.Of(owner.IdPrefix, utf8);
        return catalogue.Counters.TryGet(id, out NameEntry entry) && entry.IsDeclared && entry.Is(owner.State.Index, utf8)
            ? ToTarget(owner, id, name, entry)
            : default;
    }

    private Target ToTarget(NamespaceEntry owner, ulong id, string name, NameEntry entry)
    {
        CounterState? counter = entry.IsDefined ? catalogue.Defined(id) : null;
        return new Target
        {
            Exists = true,
            Id = id,
            Name = name,
            Tier = counter?.Tier ?? owner.State.Definition.Tier,
            ApproximateUntil = counter?.ApproximateUntil ?? owner.State.ApproximateUntil,
            Counter = counter,
            Labels = counter?.Definition.Labels ?? NoLabels,
        };
    }

    private Target[] Candidates(NamespaceEntry owner, LiveView view)
    {
        HashSet<ulong> ids = [.. view.Heaviest.GetValueOrDefault(owner.State.Index, [])];
        HeavyHitter[] found = [];
        foreach (LiveWindow window in view.Windows)
        {
            if (window.Heaviest(owner.State.Index) is { } heaviest)
            {
                if (found.Length == 0)
                {
                    found = new HeavyHitter[HeaviestCandidates.Capacity];
                }

                foreach (HeavyHitter hitter in found.AsSpan(0, heaviest.CopyTo(found)))
                {
                    ids.Add(hitter.Id);
                }
            }
        }

        List<Target> targets = new(ids.Count);
        foreach (ulong id in ids)
        {
            if (catalogue.Counters.TryGet(id, out NameEntry entry) && entry.IsDeclared && entry.NamespaceIndex == owner.State.Index)
            {
                targets.Add(ToTarget(owner, id, "", entry));
            }
        }

        return [.. targets];
    }

    private readonly record struct Target
    {
        /// <summary>Whether there is such a counter.</summary>
        public bool Exists { get; init; }

        /// <summary>Its id.</summary>
        public ulong Id { get; init; }

        /// <summary>Its name.</summary>
        public string Name { get; init; }

        /// <summary>The tier of its increments.</summary>
        public Tier Tier { get; init; }

        /// <summary>Windows that begin up to this position may hold increments of it in their sketch.</summary>
        public long ApproximateUntil { get; init; }

        /// <summary>Its definition, if it has one.</summary>
        public CounterState? Counter { get; init; }

        /// <summary>Its labels.</summary>
        public IReadOnlyDictionary<string, string> Labels { get; init; }

        /// <summary>Whether its increments go to the sketch now.</summary>
        public bool IsApproximate => Tier == Tier.Approximate;
    }

    private struct Parts
    {
        /// <summary>What is stored.</summary>
        public long Exact;
        /// <summary>What windows that are not stored yet hold exactly.</summary>
        public long Live;
        /// <summary>What their sketches say at most.</summary>
        public long Sketched;
        /// <summary>Whether a sketch can't say how much at most.</summary>
        public bool Saturated;
        /// <summary>A counter of distinct elements has this in place of sums.</summary>
        public Estimate? Distinct;

        /// <summary>The exact part is not in memory.</summary>
        public bool IsMissing;
    }
}
