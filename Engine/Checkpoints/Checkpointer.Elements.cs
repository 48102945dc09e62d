using Sketch.Engine.Reads;
using Sketch.Engine.Windows;

namespace Sketch.Engine.Checkpoints;

/// <content>What a checkpoint holds beside the sums of its window.</content>
internal sealed partial class Checkpointer
{
    /// <summary>
    /// Adds what the live side knows of the window: rows of distinct counters, which the fold made when it closed the window, and for each counter that begins anew the
    /// total that earlier windows left, taken away. All of it follows from the log alone: the totals are those of the position before the window.
    /// </summary>
    private static ClosedWindow WithElements(ClosedWindow window, LiveView view)
    {
        LiveWindow live = view.Windows[0];
        if (live.From != window.Span.From)
        {
            throw new InvalidOperationException($"The window from {window.Span.From} is to be stored while that from {live.From} is the oldest.");
        }

        DeltaColumns deltas = window.Restarted.Count == 0 ? window.Checkpoint.Deltas : Without(window, view);
        return window with { Checkpoint = window.Checkpoint.With(deltas, live.Distincts) };
    }

    private static DeltaColumns Without(ClosedWindow window, LiveView view)
    {
        Dictionary<ulong, long> left = [];
        List<DeltaRow> rows = [.. window.Checkpoint.Deltas];
        foreach ((string @namespace, ulong id) in window.Restarted)
        {
            if (view.Totals.At(id, view.Epoch) is var total and not 0)
            {
                left.Add(id, total);
                rows.Add(new DeltaRow(@namespace, id, 0));
            }
        }

        return
        [
            .. rows.GroupBy(r => (r.Namespace, r.Id))
                .Select(g => new DeltaRow(g.Key.Namespace, g.Key.Id, g.Sum(r => r.Delta) - left.GetValueOrDefault(g.Key.Id)))
                .OrderBy(r => r.Namespace, StringComparer.Ordinal).ThenBy(r => r.Id),
        ];
    }
}
