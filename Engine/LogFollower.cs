using Sketch.Engine.Appends;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;
using Sketch.Engine.Windows;

namespace Sketch.Engine;

/// <summary>Runs the live fold: every record of the log, as soon as it is written, into the views; then answers who waits for it.</summary>
internal sealed class LogFollower(
    IIncrementLog log, LogFold fold, LiveViews views, PendingAppends pending, RecordCuts cuts, OpeningProgress progress)
{
    private readonly TaskCompletionSource _caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _position = fold.Position;

    /// <summary>The last position taken in.</summary>
    public long Position => Volatile.Read(ref _position);

    public RateMeter Rate { get; } = new();

    /// <summary>Completes when all that the log held at the start is taken in.</summary>
    public Task CaughtUp => _caughtUp.Task;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        long target = log.Range.Next - 1;
        progress.Begin(fold.Position, target);
        if (fold.Position >= target)
        {
            _caughtUp.TrySetResult();
        }

        await foreach (LogSlice slice in log.ReadAsync(fold.Position + 1, follow: true, cancellationToken).ConfigureAwait(false))
        {
            using (slice)
            {
                Take(slice);
            }

            if (!_caughtUp.Task.IsCompleted)
            {
                progress.At(fold.Position);
                if (fold.Position >= target)
                {
                    _caughtUp.TrySetResult();
                }
            }
        }
    }

    private void Take(LogSlice slice)
    {
        foreach (LoggedRecord record in slice)
        {
            long before = views.Increments;
            cuts.Enter();
            FoldOutcome outcome = fold.Apply(record, views);
            cuts.Leave();
            if (views.Increments != before)
            {
                Rate.Add(record.TimeMs, views.Increments - before);
            }

            Volatile.Write(ref _position, record.Position);
            pending.Complete(record.AppendId, outcome);
        }
    }
}
