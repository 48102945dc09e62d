using System.Collections.Frozen;
using System.Text;
using Sketch.Accuracy;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Fold;
using Sketch.Engine.Windows;
using Sketch.Sketches;

namespace Sketch.Engine.Reads;

/// <summary>Reads values from the published view: exact total, plus what the windows after it hold, plus how wrong that can be.</summary>
internal sealed partial class CounterReads(CounterCatalogue catalogue, LiveViews views, GhostCache ghosts, NameCache names, TimeProvider time)
{
    private static readonly FrozenDictionary<string, string> NoLabels = FrozenDictionary<string, string>.Empty;

    private readonly RateBook _rates = new();

    private long _hits;
    private long _misses;

    /// <summary>Totals that reads found in memory.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>Totals that they did not find there.</summary>
    public long Misses => Volatile.Read(ref _misses);

    public bool Has(NamespaceEntry owner, string name) => Find(owner, name).Exists;

    /// <summary>Values as one consistent cut.</summary>
    /// <param name="owner">The namespace.</param>
    /// <param name="wanted">Names.</param>
    /// <param name="confidence">In (0.5, 1).</param>
    /// <param name="loaded">Totals that were read from the store because they were missing.</param>
    /// <param name="missing">Ids whose totals are neither in memory nor among those; their values are null.</param>
    public IReadOnlyList<CounterValue?> Read(
        NamespaceEntry owner, IReadOnlyList<string> wanted, double confidence, LoadedTotals loaded, out IReadOnlyList<ulong> missing)
    {
        Target[] targets = new Target[wanted.Count];
        for (int i = 0; i < targets.Length; i++)
        {
            targets[i] = Find(owner, wanted[i]);
        }

        (LiveView view, Parts[] parts, (long Quantile, long Median) error) = Cut(_ => targets, confidence, loaded);
        missing = Missing(targets, parts);
        CounterValue?[] values = new CounterValue?[targets.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = targets[i].Exists && !parts[i].IsMissing ? ToValue(view, owner, targets[i], parts[i], error, confidence) : null;
        }

        return values;
    }

    /// <summary>The heaviest; of counters whose name or total is not in memory the ids are told.</summary>
    public IReadOnlyList<CounterValue> Top(
        NamespaceEntry owner, int k, double confidence, LoadedTotals loaded, out IReadOnlyList<ulong> unnamed, out IReadOnlyList<ulong> missing)
    {
        Target[] candidates = [];
        (LiveView view, Parts[] parts, (long Quantile, long Median) error) = Cut(v => candidates = Candidates(owner, v), confidence, loaded);
        missing = Missing(candidates, parts);

        // Names only for those that may be listed: as heavy as the k-th.
        (Target Target, Parts Parts, long Value)[] ranked =
        [
            .. candidates.Select((target, i) => (target, parts[i], ValueOf(target, parts[i], error, confidence).Value))
                .Where(c => !c.Item2.IsMissing)
                .OrderByDescending(c => c.Value),
        ];
        long least = ranked.Length > k ? ranked[k - 1].Value : long.MinValue;
        List<ulong> nameless = [];
        List<CounterValue> values = [];
        foreach ((Target target, Parts part, long value) in ranked.TakeWhile(c => c.Value >= least))
        {
            if (NameOf(view, target) is { } name)
            {
                values.Add(ToValue(view, owner, target with { Name = name }, part, error, confidence));
            }
            else
            {
                nameless.Add(target.Id);
            }
        }

        unnamed = nameless;
        return values.OrderByDescending(v => v.Value).ThenBy(v => v.Name, StringComparer.Ordinal).Take(k).ToArray();
    }

    // Retries until nothing was published between the first and the last look: publications are some a second, reads take microseconds.
    private (LiveView View, Parts[] Parts, (long Quantile, long Median) Error) Cut(Func<LiveView, Target[]> choose, double confidence, LoadedTotals loaded)
    {
        while (true)
        {
            LiveView view = views.View;
            Target[] targets = choose(view);
            Parts[] parts = new Parts[targets.Length];
            bool estimated = false;
            for (int i = 0; i < targets.Length; i++)
            {
                parts[i] = targets[i].Exists ? Sum(view, targets[i], loaded) : default;
                estimated |= parts[i].Sketched > 0;
            }

            (long, long) error = estimated ? ghosts.After(view, confidence) : (0, 0);
            if (ReferenceEquals(view, views.View))
            {
                return (view, parts, error);
            }
        }
    }

    private List<ulong> Missing(Target[] targets, Parts[] parts)
    {
        List<ulong> missing = [];
        int hits = 0;
        for (int i = 0; i < targets.Length; i++)
        {
            if (parts[i].IsMissing)
            {
                missing.Add(targets[i].Id);
            }
            else if (targets[i].Exists)
            {
                hits++;
                catalogue.Counters.Touch(targets[i].Id);
            }
        }

        Interlocked.Add(ref _hits, hits);
        if (missing.Count > 0)
        {
            Interlocked.Add(ref _misses, missing.Count);
        }

        return missing;
    }

    private Parts Sum(LiveView view, in Target target, LoadedTotals loaded)
    {
        // What came before a window in which the counter begins anew does not count, whatever it was.
        int first = view.Windows.Length - 1;
        while (first >= 0 && !view.Windows[first].Restarts(target.Id))
        {
            first--;
        }

        Parts parts = default;
        if (first < 0 && !catalogue.Counters.At(target.Id, view.Epoch, out parts.Exact))
        {
            parts.IsMissing = loaded.Epoch != view.Epoch || !loaded.ById.TryGetValue(target.Id, out parts.Exact);
        }

        foreach (LiveWindow window in view.Windows.AsSpan(Math.Max(0, first)))
        {
            if (window.Exact.TryGet(target.Id, out long delta))
            {
                parts.Live += delta;
            }

            if (window.Sketch is { } sketch && (target.IsApproximate || target.ApproximateUntil >= window.From))
            {
                uint estimate = sketch.Estimate(target.Id);
                parts.Sketched += estimate;
                parts.Saturated |= estimate == CountMinSketch.SaturatedEstimate;
            }
        }

        return parts;
    }

    private Estimate ValueOf(in Target target, in Parts parts, (long Quantile, long Median) error, double confidence) =>
        target.Counter is { Kind: CounterKind.Distinct } counter
            ? catalogue.Elements.Count(target.Id, counter, confidence)
            : LiveEstimate.From(parts.Exact, parts.Sketched, parts.Live, error.Quantile, error.Median, confidence, parts.Saturated);

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

    private CounterValue ToValue(
        LiveView view, NamespaceEntry owner, in Target target, in Parts parts, (long Quantile, long Median) error, double confidence)
    {
        Estimate estimate = ValueOf(target, parts, error, confidence);
        DateTimeOffset now = time.GetUtcNow();
        long nowMs = now.ToUnixTimeMilliseconds();
        (double? lately, double? fiveMinutes) = _rates.Mark(target.Id, nowMs, estimate.Value);
        double sinceExact = target.Counter is { Kind: CounterKind.Distinct } ? 0 : (estimate.Value - parts.Exact) / Seconds(view, nowMs);
        return new CounterValue(
            owner.State.Definition.Name,
            target.Name,
            (target.Counter?.Kind ?? CounterKind.Sum).ToString().ToLowerInvariant(),
            target.Tier.ToString().ToLowerInvariant(),
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
                if (found.Length < heaviest.Capacity)
                {
                    found = new HeavyHitter[heaviest.Capacity];
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

    private readonly struct Target
    {
        public bool Exists { get; init; }

        public ulong Id { get; init; }

        public string Name { get; init; }

        public Tier Tier { get; init; }

        public long ApproximateUntil { get; init; }

        /// <summary>Its definition, if it has one.</summary>
        public CounterState? Counter { get; init; }

        public IReadOnlyDictionary<string, string> Labels { get; init; }

        public bool IsApproximate => Tier == Tier.Approximate;
    }

    private struct Parts
    {
        public long Exact;
        public long Live;
        public long Sketched;
        public bool Saturated;

        /// <summary>The exact part is not in memory.</summary>
        public bool IsMissing;
    }
}
