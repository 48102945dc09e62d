using Sketch.Accuracy;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Windows;

namespace Sketch.Engine.Reads;

/// <content>Items of counters of the kind top.</content>
internal sealed partial class CounterReads
{
    /// <summary>The k largest items, but no more than <paramref name="most"/>; null when there is no such counter, or it is of another kind.</summary>
    public TopItems? Items(NamespaceEntry owner, string name, int? k, int most = CounterDefinition.MaxK)
    {
        if (Find(owner, name) is not { Counter: { Kind: CounterKind.Top } counter } target)
        {
            return null;
        }

        while (true)
        {
            LiveView view = views.View;
            (TopCandidate[] candidates, Dictionary<ulong, string> texts, long otherwise) = Candidates(view, target.Id, counter.Generation);
            if (!ReferenceEquals(view, views.View))
            {
                continue;
            }

            TopItem[] items = TopList.Pick(candidates, Math.Min(most, k ?? counter.Definition.K ?? CounterDefinition.DefaultK), otherwise);
            return new TopItems(
                owner.State.Definition.Name,
                name,
                view.ExactAsOf(time.GetUtcNow()),
                [.. items.Select(i => i.Candidate).Zip(items, (c, i) =>
                    new TopItemValue(texts[c.Id], c.Value, c.Lower, c.Upper, i.Certain, c.Lower == c.Upper))]);
        }
    }

    private static (TopCandidate[] Candidates, Dictionary<ulong, string> Texts, long Otherwise) Candidates(LiveView view, ulong counterId, long generation)
    {
        ItemTotals settled = view.Items.TryGetValue(counterId, out ItemTotals? found) && found.Generation == generation ? found : ItemTotals.Empty(generation);
        List<(LiveWindow Window, TopReading Items)> readings = [];
        foreach (LiveWindow window in view.Windows)
        {
            if (window.Restarts(counterId))
            {
                settled = ItemTotals.Empty(generation);
                readings.Clear();
            }

            if (window.Top(counterId) is { } top)
            {
                readings.Add((window, top.Read()));
            }
        }

        Dictionary<ulong, string> texts = settled.Items.ToDictionary(i => i.Key, i => i.Value.Text);
        foreach ((ulong id, (string text, _, _)) in readings.SelectMany(r => r.Items.Items))
        {
            texts.TryAdd(id, text);
        }

        TopCandidate[] candidates = new TopCandidate[texts.Count];
        int next = 0;
        foreach (ulong id in texts.Keys)
        {
            bool isKnown = settled.Items.TryGetValue(id, out ItemTotal total);
            (long lower, long value, long upper) = isKnown ? (total.Total, total.Total, total.Upper) : (0, 0, settled.Floor);
            foreach ((LiveWindow window, TopReading items) in readings)
            {
                (long least, long most) = items.Bounds(id, window.Sketch);
                lower += least;
                value += most;
                upper += most;
            }

            candidates[next++] = new TopCandidate(id, value, lower, upper);
        }

        return (candidates, texts, settled.Floor + readings.Sum(r => r.Items.Otherwise));
    }
}
