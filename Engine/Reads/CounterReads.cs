using System.Collections.Frozen;
using System.Text;
using Sketch.Accuracy;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Fold;
using Sketch.Engine.Windows;
using Sketch.Sketches;

namespace Sketch.Engine.Reads;

/// <summary>Reads values from the published view: exact total, plus what the windows after it hold, plus how wrong that can be.</summary>
internal sealed partial class CounterReads(CounterCatalogue catalogue, LiveViews views, GhostCache ghosts, TimeProvider time)
{
    private static readonly FrozenDictionary<string, string> NoLabels = FrozenDictionary<string, string>.Empty;

    private readonly RateBook _rates = new();

    public IReadOnlyList<CounterValue?> Read(NamespaceEntry owner, IReadOnlyList<string> names, double confidence)
    {
        Target[] targets = new Target[names.Count];
        for (int i = 0; i < targets.Length; i++)
        {
            targets[i] = Find(owner, names[i]);
        }

        (LiveView view, Parts[] parts, (long Quantile, long Median) error) = Cut(_ => targets, confidence);
        CounterValue?[] values = new CounterValue?[targets.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = targets[i].Exists ? ToValue(view, owner, targets[i], parts[i], error, confidence) : null;
        }

        return values;
    }

    public IReadOnlyList<CounterValue> Top(NamespaceEntry owner, int k, double confidence)
    {
        Target[] candidates = [];
        (LiveView view, Parts[] parts, (long Quantile, long Median) error) = Cut(v => candidates = Candidates(owner, v), confidence);
        return candidates
            .Select((target, i) => ToValue(view, owner, target, parts[i], error, confidence))
            .OrderByDescending(v => v.Value)
            .ThenBy(v => v.Name, StringComparer.Ordinal)
            .Take(k)
            .ToArray();
    }

    // Retries until nothing was published between the first and the last look: publications are some a second, reads take microseconds.
    private (LiveView View, Parts[] Parts, (long Quantile, long Median) Error) Cut(Func<LiveView, Target[]> choose, double confidence)
    {
        while (true)
        {
            LiveView view = views.View;
            Target[] targets = choose(view);
            Parts[] parts = new Parts[targets.Length];
            bool estimated = false;
            for (int i = 0; i < targets.Length; i++)
            {
                parts[i] = targets[i].Exists ? Sum(view, targets[i]) : default;
                estimated |= parts[i].Sketched > 0;
            }

            (long, long) error = estimated ? ghosts.After(view, confidence) : (0, 0);
            if (ReferenceEquals(view, views.View))
            {
                return (view, parts, error);
            }
        }
    }

    private static Parts Sum(LiveView view, in Target target) => Sum(view, target, view.Totals.At(target.Id, view.Epoch));

    private static Parts Sum(LiveView view, in Target target, long exact)
    {
        Parts parts = new() { Exact = exact };
        foreach (LiveWindow window in view.Windows)
        {
            if (window.Restarts(target.Id))
            {
                parts = default;
            }

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

    private CounterValue ToValue(
        LiveView view, NamespaceEntry owner, in Target target, in Parts parts, (long Quantile, long Median) error, double confidence)
    {
        Estimate estimate = LiveEstimate.From(parts.Exact, parts.Sketched, parts.Live, error.Quantile, error.Median, confidence, parts.Saturated);
        if (target.Counter is { Kind: CounterKind.Distinct } counter)
        {
            estimate = catalogue.Elements.Count(target.Id, counter, confidence);
        }

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
        return catalogue.Names.TryGet(id, out NameEntry entry) && entry.IsDeclared && entry.Is(owner.State.Index, utf8)
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
            if (catalogue.Names.TryGet(id, out NameEntry entry) && entry.IsDeclared && entry.NamespaceIndex == owner.State.Index)
            {
                targets.Add(ToTarget(owner, id, entry.Name, entry));
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
    }
}
