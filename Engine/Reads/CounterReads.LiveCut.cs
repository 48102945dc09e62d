using System.Text;
using Sketch.Accuracy;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Windows;

namespace Sketch.Engine.Reads;

/// <content>Whole namespaces as one cut, over totals that the store gave.</content>
internal sealed partial class CounterReads
{
    private const int MaxTries = 8;

    /// <summary>
    /// The values of stored counters and of those that only live windows name. Null when the totals are not those of the position that readers see, or views changed in
    /// every try.
    /// </summary>
    public LiveCut? CutAt(long position, IReadOnlyList<NamespaceEntry> owners, IReadOnlyList<StoredCounter> stored, bool withNewNames, double confidence)
    {
        for (int i = 0; i < MaxTries; i++)
        {
            LiveView view = views.View;
            if (view.ExactPosition != position)
            {
                return null;
            }

            (Target Target, NamespaceEntry Owner, Parts Parts)[] found = [.. Read(view, owners, stored, withNewNames)];
            bool estimated = Array.Exists(found, f => f.Parts.Sketched > 0);
            (long Quantile, long Median) error = estimated ? ghosts.After(view, confidence) : (0, 0);
            if (ReferenceEquals(view, views.View))
            {
                return new LiveCut(position, view.ExactAsOf(time.GetUtcNow()), Array.ConvertAll(found, f => ToRow(f.Owner, f.Target, f.Parts, error, confidence)));
            }
        }

        return null;
    }

    private IEnumerable<(Target Target, NamespaceEntry Owner, Parts Parts)> Read(
        LiveView view, IReadOnlyList<NamespaceEntry> owners, IReadOnlyList<StoredCounter> stored, bool withNewNames)
    {
        Dictionary<string, NamespaceEntry> byName = owners.ToDictionary(o => o.State.Definition.Name, StringComparer.Ordinal);
        HashSet<ulong> ids = new(stored.Count);
        foreach (StoredCounter counter in stored)
        {
            NamespaceEntry owner = byName[counter.Namespace];
            ids.Add(counter.Id);
            Target target = Find(owner, Encoding.UTF8.GetString(counter.Name.Span));
            if (target.Exists)
            {
                yield return (target, owner, Sum(view, target, counter.Total));
            }
        }

        foreach (NamespaceEntry owner in withNewNames ? owners : [])
        {
            foreach (LiveWindow window in view.Windows)
            {
                foreach (string name in window.NamesOf(owner.State.Index))
                {
                    Target target = Find(owner, name);
                    if (target.Exists && ids.Add(target.Id))
                    {
                        yield return (target, owner, Sum(view, target, 0));
                    }
                }
            }
        }
    }

    private LiveRow ToRow(NamespaceEntry owner, in Target target, in Parts parts, (long Quantile, long Median) error, double confidence)
    {
        Estimate estimate = target.Counter is { Kind: CounterKind.Distinct } counter
            ? catalogue.Elements.Count(target.Id, counter, confidence)
            : LiveEstimate.From(parts.Exact, parts.Sketched, parts.Live, error.Quantile, error.Median, confidence, parts.Saturated);
        return new LiveRow(
            owner.State.Definition.Name, target.Name, target.Id, Lowercase<CounterKind>.Of(target.Counter?.Kind ?? CounterKind.Sum), Lowercase<Tier>.Of(target.Tier),
            estimate.Value, estimate.Lower, estimate.Upper, estimate.Confidence);
    }
}
