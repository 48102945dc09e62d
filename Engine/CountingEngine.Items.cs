using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Fold;
using Sketch.Engine.Increments;
using Sketch.Engine.Reads;
using Sketch.Engine.Windows;

namespace Sketch.Engine;

/// <content>Items of counters of the kind top.</content>
public sealed partial class CountingEngine
{
    /// <summary>The k largest items of a counter of the kind top; null when there is no such counter, or it is of another kind.</summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="name">The counter.</param>
    /// <param name="k">How many, 1 to <see cref="CounterDefinition.MaxK"/>; null is what the counter is defined with.</param>
    public TopItems? Items(string @namespace, string name, int? k) => _reads.Items(Existing(@namespace), name, k);

    /// <inheritdoc/>
    public TopItems? LargestItems(string @namespace, string name, int most) => _reads.Items(Existing(@namespace), name, k: null, most);

    // A strong or eventual counter keeps every item. What other batches bring at the same moment is not seen here: the limit is kept but for those.
    private Rejection? CheckItems(IncrementBatch batch)
    {
        ElementColumns rows = batch.Elements;
        if (rows.ItemIds.IsEmpty)
        {
            return null;
        }

        Dictionary<ulong, HashSet<ulong>> fresh = [];
        LiveView view = _views.View;
        for (int i = 0; i < rows.ItemIds.Length; i++)
        {
            ulong id = rows.TopIds[i];
            if (_catalogue.Defined(id) is { Tier: not Tier.Approximate } counter && !IsKnown(view, counter, id, rows.ItemIds[i]))
            {
                if (!fresh.TryGetValue(id, out HashSet<ulong>? items))
                {
                    fresh.Add(id, items = []);
                }

                items.Add(rows.ItemIds[i]);
                if (AtMost(view, counter, id) + items.Count > EngineLimits.MaxExactItems && Known(view, counter, id) + items.Count > EngineLimits.MaxExactItems)
                {
                    return new Rejection(
                        RejectionReason.QuotaExceeded, "element", $"one more for '{counter.Definition.Name}'",
                        $"items already counted: an exact counter of the kind top keeps at most {EngineLimits.MaxExactItems}; the tier approximate has no such limit");
                }
            }
        }

        return null;
    }

    // Quick, but counts an item in each place where it is.
    private static long AtMost(LiveView view, CounterState counter, ulong id) =>
        (Settled(view, counter, id)?.Items.Count ?? 0) + view.Windows.Sum(w => (long)(w.Top(id)?.Count ?? 0));

    private static long Known(LiveView view, CounterState counter, ulong id)
    {
        HashSet<ulong> known = [];
        foreach (LiveWindow window in view.Windows)
        {
            window.Top(id)?.CopyTo(known);
        }

        if (Settled(view, counter, id) is not { } settled)
        {
            return known.Count;
        }

        known.RemoveWhere(settled.Items.ContainsKey);
        return known.Count + settled.Items.Count;
    }

    private static bool IsKnown(LiveView view, CounterState counter, ulong id, ulong item) =>
        Settled(view, counter, id)?.Items.ContainsKey(item) == true || view.Windows.Any(w => w.Top(id)?.Contains(item) == true);

    private static ItemTotals? Settled(LiveView view, CounterState counter, ulong id) =>
        view.Items.TryGetValue(id, out ItemTotals? totals) && totals.Generation == counter.Generation ? totals : null;
}
