namespace Sketch.Engine.Reads;

/// <content>One cut through the log's views.</content>
internal sealed partial class CounterReads
{
    // Lucky nearly always when few counters are read or little is counted. More take longer than a record, when much is counted.
    private const int MostCountersByLuck = 256;

    /// <summary>
    /// Retries until no view was published between the first and the last look; when all is to be as of one position, no record came in between either. The error is asked
    /// for after that: the ghosts' answers only grow, so that a later one is on the safe side.
    /// </summary>
    private Seen Take(int counters, Func<LiveView, Target[]> choose, bool atOnePosition, double confidence, LoadedTotals loaded)
    {
        while (true)
        {
            Seen cut = atOnePosition
                ? cuts.Look(byLuck: counters <= MostCountersByLuck, () => Look(choose, confidence, loaded))
                : Look(choose, confidence, loaded);
            if (cut.Parts.Any(p => p.Sketched > 0))
            {
                cut = cut with { Error = ghosts.After(cut.View, confidence) };
            }

            if (ReferenceEquals(cut.View, views.View))
            {
                return cut;
            }
        }
    }

    private Seen Look(Func<LiveView, Target[]> choose, double confidence, LoadedTotals loaded)
    {
        DateTimeOffset asOf = time.GetUtcNow();
        LiveView view = views.View;
        Target[] targets = choose(view);
        return new Seen(asOf, view, targets, Sum(view, targets, loaded, confidence), default);
    }

    private sealed record Seen(DateTimeOffset AsOf, LiveView View, Target[] Targets, Parts[] Parts, (long Quantile, long Median) Error);
}
