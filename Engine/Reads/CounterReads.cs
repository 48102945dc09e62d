using System.Collections.Frozen;
using System.Text;
using Sketch.Accuracy;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Fold;
using Sketch.Engine.Windows;
using Sketch.Sketches;

namespace Sketch.Engine.Reads;

/// <summary>Reads values from the published view: exact total, plus what the windows after it hold, plus how wrong that can be.</summary>
internal sealed partial class CounterReads(CounterCatalogue catalogue, LiveViews views, RecordCuts cuts, GhostCache ghosts, TimeProvider time)
{
    private static readonly FrozenDictionary<string, string> NoLabels = FrozenDictionary<string, string>.Empty;

    private static readonly string[] KindNames = Names<CounterKind>();
    private static readonly string[] TierNames = Names<Tier>();

    private readonly RateBook _rates = new();

    public IReadOnlyList<CounterValue?> Read(NamespaceEntry owner, IReadOnlyList<string> names, double confidence) =>
        Cut(owner, names, 0, confidence, atOnePosition: names.Count > 1).Values;

    public IReadOnlyList<CounterValue> Top(NamespaceEntry owner, int k, double confidence) => Cut(owner, [], k, confidence).Heaviest;

    /// <summary>One counter alone needs no position of its own, only a view: such a read never waits for the fold.</summary>
    public CounterCut Cut(NamespaceEntry owner, IReadOnlyList<string> names, int k, double confidence, bool atOnePosition = true)
    {
        Target[] named = new Target[names.Count];
        for (int i = 0; i < named.Length; i++)
        {
            named[i] = Find(owner, names[i]);
        }

        // A counter that a batch made after that is looked for again within the cut: its batch may be in the other values.
        Target[] Targets(LiveView view)
        {
            for (int i = 0; i < named.Length; i++)
            {
                if (!named[i].Exists)
                {
                    named[i] = Find(owner, names[i]);
                }
            }

            return k == 0 ? named : [.. named, .. Candidates(owner, view)];
        }

        Seen cut = Take(Targets, atOnePosition, confidence);
        CounterValue?[] values = new CounterValue?[named.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = named[i].Exists ? ToValue(owner, cut, i, confidence) : null;
        }

        return new CounterCut(cut.AsOf, values, k == 0 ? [] : Heaviest(owner, cut, named.Length, k, confidence));
    }

    private CounterValue[] Heaviest(NamespaceEntry owner, Seen cut, int from, int k, double confidence) =>
    [
        .. Enumerable.Range(from, cut.Targets.Length - from)
            .Select(i => ToValue(owner, cut, i, confidence))
            .OrderByDescending(v => v.Value)
            .ThenBy(v => v.Name, StringComparer.Ordinal)
            .Take(k),
    ];

    // Window by window and all counters in each, so that a sketch's cells are fetched ahead.
    private Parts[] Sum(LiveView view, Target[] targets, double confidence)
    {
        Parts[] parts = new Parts[targets.Length];
        ulong[] ids = new ulong[targets.Length];
        uint[] estimates = new uint[targets.Length];
        for (int i = 0; i < targets.Length; i++)
        {
            ids[i] = targets[i].Id;
            if (targets[i].Exists)
            {
                parts[i].Exact = view.Totals.At(ids[i], view.Epoch);
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
                parts[i] = new Parts { Exact = parts[i].Exact, Distinct = catalogue.Elements.Count(ids[i], counter, confidence) };
            }
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

    private CounterValue ToValue(NamespaceEntry owner, Seen cut, int at, double confidence)
    {
        LiveView view = cut.View;
        Target target = cut.Targets[at];
        Parts parts = cut.Parts[at];
        Estimate estimate = parts.Distinct
            ?? LiveEstimate.From(parts.Exact, parts.Sketched, parts.Live, cut.Error.Quantile, cut.Error.Median, confidence, parts.Saturated);
        DateTimeOffset now = cut.AsOf;
        long nowMs = now.ToUnixTimeMilliseconds();
        (double? lately, double? fiveMinutes) = _rates.Mark(target.Id, nowMs, estimate.Value);
        double sinceExact = parts.Distinct is not null ? 0 : (estimate.Value - parts.Exact) / Seconds(view, nowMs);
        return new CounterValue(
            owner.State.Definition.Name,
            target.Name,
            KindNames[(int)(target.Counter?.Kind ?? CounterKind.Sum)],
            TierNames[(int)target.Tier],
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

    // By the number of the member.
    private static string[] Names<T>()
        where T : struct, Enum =>
        [.. Enumerable.Range(0, Enum.GetValues<T>().Max(member => Convert.ToInt32(member, null)) + 1).Select(i => Enum.GetName(typeof(T), i)?.ToLowerInvariant() ?? "")];

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
        public Estimate? Distinct;
    }
}
