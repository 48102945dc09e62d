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
    public void Compare(LiveWindow window, IReadOnlyList<DeltaRow> deltas)
    {
        if (window.Sketch is not { } sketch)
        {
            return;
        }

        _ghosts.Evaluate([sketch]);
        for (int start = 0, end; start < deltas.Count; start = end)
        {
            string @namespace = deltas[start].Namespace;
            for (end = start + 1; end < deltas.Count && deltas[end].Namespace == @namespace; end++)
            {
            }

            Compare(window, sketch, deltas, start, end);
        }
    }

    private void Compare(LiveWindow window, CountMinSketch sketch, IReadOnlyList<DeltaRow> deltas, int start, int end)
    {
        WindowAudit audit = new(_ghosts, Confidences);
        // Ids are hashes and rows are sorted by them: every so many is an even sample, and the same one on every replica.
        int step = (end - start + MaxCompared - 1) / MaxCompared;
        int sketched = 0;
        for (int row = start; row < end; row++)
        {
            if (window.Exact.TryGet(deltas[row].Id, out long kept) && kept == deltas[row].Delta)
            {
                continue;
            }

            // A counter that changed its tier within the window has a part in either.
            if (sketched++ % step == 0)
            {
                audit.Add(sketch.Estimate(deltas[row].Id), deltas[row].Delta - kept);
            }
        }

        if (audit.Counters > 0)
        {
            Report(deltas[start].Namespace, audit, window, sketched);
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
