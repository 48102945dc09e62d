namespace Sketch.Engine.Reads;

/// <content>One cut through the log's views.</content>
internal sealed partial class CounterReads
{
    // Lucky nearly always when few counters are read or little is counted; else the fold is asked to pause.
    private const int AttemptsBeforePause = 2;

    // More take longer than a record, when much is counted: each attempt would be in vain.
    private const int MostCountersByLuck = 256;

    /// <summary>
    /// Retries until neither a view was published nor, when all is to be as of one position, a record taken in between the first and the last look. The error is asked for
    /// after that: the ghosts' answers only grow, so that a later one is on the safe side.
    /// </summary>
    private Seen Take(int counters, Func<LiveView, Target[]> choose, bool atOnePosition, double confidence, LoadedTotals loaded)
    {
        for (int attempt = atOnePosition && counters > MostCountersByLuck ? AttemptsBeforePause : 0; ; attempt++)
        {
            bool pauses = attempt >= AttemptsBeforePause;
            if (pauses)
            {
                cuts.AskToPause();
            }

            Seen? cut;
            try
            {
                cut = Look(choose, atOnePosition, confidence, loaded);
            }
            finally
            {
                if (pauses)
                {
                    cuts.Resume();
                }
            }

            if (cut is null)
            {
                continue;
            }

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

    private Seen? Look(Func<LiveView, Target[]> choose, bool atOnePosition, double confidence, LoadedTotals loaded)
    {
        long moment = atOnePosition ? cuts.Now() : 0;
        DateTimeOffset asOf = time.GetUtcNow();
        LiveView view = views.View;
        Target[] targets = choose(view);
        Parts[] parts = Sum(view, targets, loaded, confidence);
        return !atOnePosition || cuts.IsStill(moment) ? new Seen(asOf, view, targets, parts, default) : null;
    }

    private sealed record Seen(DateTimeOffset AsOf, LiveView View, Target[] Targets, Parts[] Parts, (long Quantile, long Median) Error);
}
