using Sketch.Accuracy;
using Sketch.Sketches;

namespace Sketch.Engine.Reads;

/// <summary>
/// The error that sketches make on ids nobody added, evaluated over a view's windows after the values were read, and shared by all readers for whom it is
/// recent enough: while nothing is counted it costs nothing, and under load readers that wait for the lock find it done.
/// </summary>
internal sealed class GhostCache(SketchKey key)
{
    private readonly Lock _evaluating = new();
    // 4,096 ghosts vouch for up to 99.9 %.
    private readonly GhostSample _ghosts = new(key, 4_096);
    private LiveView? _view;
    private long _changes;

    /// <summary>What to subtract from estimates that were read from this view before the call.</summary>
    /// <returns>The quantile for the confidence, and the median.</returns>
    public (long Quantile, long Median) After(LiveView view, double confidence)
    {
        // Round up to even: a batch in progress may have been seen in part, so only an evaluation begun after it will do.
        long seen = (Changes(view) + 1) & ~1L;
        lock (_evaluating)
        {
            if (!ReferenceEquals(_view, view) || _changes < seen)
            {
                _changes = Changes(view);
                _view = view;
                CountMinSketch[] sketches = [.. view.Windows.Select(w => w.Sketch).OfType<CountMinSketch>()];
                _ghosts.Evaluate(sketches);
            }

            return (_ghosts.Quantile(confidence), _ghosts.Median);
        }
    }

    // Only the open window changes.
    private static long Changes(LiveView view) => view.Open.Changes;
}
