using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Sketch.Accuracy;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Windows;
using Sketch.Sketches;

namespace Sketch.Engine.Audit;

/// <summary>
/// Checks the bounds against the truth at every checkpoint: before a window's sketch retires, its estimates are compared with the exact sums that were
/// just stored, namespace by namespace. Runs with the checkpointer, never with the increments; at most <see cref="MaxCompared"/> counters of a namespace
/// and window are looked at, which takes some milliseconds.
/// </summary>
internal sealed partial class AccuracyAudit(SketchKey ghostKey, ILogger logger)
{
    /// <summary>The most counters of a namespace that are compared in a window.</summary>
    public const int MaxCompared = 1 << 16;

    // Readers' default last: biases and errors are those of the values that most readers see.
    private static readonly double[] Confidences = [0.95, 0.99];

    private readonly GhostSample _ghosts = new(ghostKey, 4_096);
    private readonly ConcurrentDictionary<string, NamespaceAudit> _namespaces = new(StringComparer.Ordinal);
    private long _warnings;

    /// <summary>How often a namespace's bounds began to fall short.</summary>
    public long Warnings => Volatile.Read(ref _warnings);

    /// <summary>Figures of the namespaces that had approximate counters in a stored window.</summary>
    public IEnumerable<NamespaceAccuracy> All => _namespaces.Values.Select(n => n.Figures);

    /// <summary>Figures of a namespace; null when no approximate counter of it was compared yet.</summary>
    public NamespaceAccuracy? Find(string @namespace) => _namespaces.GetValueOrDefault(@namespace)?.Figures;

    /// <summary>Compares a window that is stored but still in the view.</summary>
    /// <param name="window">The live side of it, closed.</param>
    /// <param name="deltas">The exact side, by namespace, then by id.</param>
    public void Compare(LiveWindow window, DeltaColumns deltas)
    {
        if (window.Sketch is not { } sketch)
        {
            return;
        }

        _ghosts.Evaluate([sketch]);
        foreach (DeltaRun run in deltas.Runs)
        {
            Compare(window, sketch, run);
        }
    }

    private void Compare(LiveWindow window, CountMinSketch sketch, in DeltaRun run)
    {
        WindowAudit audit = new(_ghosts, Confidences);
        ReadOnlySpan<ulong> ids = run.Ids.Span;
        ReadOnlySpan<long> deltas = run.Deltas.Span;
        // Ids are hashes and rows are sorted by them: every so many is an even sample, and the same one on every replica.
        int step = (ids.Length + MaxCompared - 1) / MaxCompared;
        int sketched = 0;
        for (int row = 0; row < ids.Length; row++)
        {
            long kept = 0;
            // A counter that begins anew with this window: its row may carry the loss of its former total, which was never sketched.
            if (window.Restarts(ids[row]))
            {
                continue;
            }

            if (window.Exact.Count > 0 && window.Exact.TryGet(ids[row], out kept) && kept == deltas[row])
            {
                continue;
            }

            // A counter that changed its tier within the window has a part in either.
            if (sketched++ % step == 0)
            {
                audit.Add(sketch.Estimate(ids[row]), deltas[row] - kept);
            }
        }

        if (audit.Counters > 0)
        {
            Report(run.Namespace, audit, window, sketched);
        }
    }

    private void Report(string @namespace, WindowAudit audit, LiveWindow window, int sketched)
    {
        NamespaceAudit known = _namespaces.GetOrAdd(@namespace, static n => new NamespaceAudit(n));
        string? before = known.Figures.Warning;
        string? warning = known.Add(audit, window.From, window.Span.To, sketched).Warning;
        if (warning is not null && before is null)
        {
            Volatile.Write(ref _warnings, _warnings + 1);
            LogFallsShort(logger, warning);
        }
        else if (warning is null && before is not null)
        {
            LogHoldsAgain(logger, @namespace);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private static partial void LogFallsShort(ILogger logger, string warning);

    [LoggerMessage(Level = LogLevel.Information, Message = "Bounds of approximate counters in '{Namespace}' hold again")]
    private static partial void LogHoldsAgain(ILogger logger, string @namespace);
}
