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
    private async Task<ClosedWindow> WithElementsAsync(ClosedWindow window, LiveView view, CancellationToken cancellationToken)
    {
        LiveWindow live = view.Windows[0];
        if (live.From != window.Span.From)
        {
            throw new InvalidOperationException($"The window from {window.Span.From} is to be stored while that from {live.From} is the oldest.");
        }

        DeltaColumns deltas = window.Restarted.Count == 0
            ? window.Checkpoint.Deltas
            : await WithoutAsync(window, view, cancellationToken).ConfigureAwait(false);
        return window with { Checkpoint = window.Checkpoint.With(deltas, live.Distincts) };
    }

    private async Task<DeltaColumns> WithoutAsync(ClosedWindow window, LiveView view, CancellationToken cancellationToken)
    {
        Dictionary<ulong, long> left = [];
        List<DeltaRow> rows = [.. window.Checkpoint.Deltas];
        foreach (IGrouping<string, (string Namespace, ulong Id)> group in window.Restarted.GroupBy(r => r.Namespace))
        {
            List<ulong> cold = [];
            foreach ((_, ulong id) in group)
            {
                if (!catalogue.Counters.At(id, view.Epoch, out long total))
                {
                    cold.Add(id);
                }

                left[id] = total;
            }

            foreach (ulong[] ids in cold.Chunk(HeaviestTotals.MostWanted))
            {
                IReadOnlyDictionary<ulong, long> stored = await UntilDoneAsync(
                    token => store.ReadTotalsAsync(log.Identity, view.ExactPosition, group.Key, ids, token), window.Span.From, window.Span.To, cancellationToken)
                    .ConfigureAwait(false);
                foreach ((ulong id, long total) in stored)
                {
                    left[id] = total;
                }
            }

            rows.AddRange(group.Where(r => left[r.Id] != 0).Select(r => new DeltaRow(group.Key, r.Id, 0)));
        }

        return
        [
            .. rows.GroupBy(r => (r.Namespace, r.Id))
                .Select(g => new DeltaRow(g.Key.Namespace, g.Key.Id, g.Sum(r => r.Delta) - left.GetValueOrDefault(g.Key.Id)))
                .OrderBy(r => r.Namespace, StringComparer.Ordinal).ThenBy(r => r.Id),
        ];
    }
}
