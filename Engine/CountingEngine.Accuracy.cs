using System.Diagnostics.Metrics;
using Sketch.Engine.Audit;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Reads;

namespace Sketch.Engine;

/// <content>How right the values are.</content>
public sealed partial class CountingEngine
{
    /// <summary>The engine's instruments, in a meter named Sketch; disposed with the engine.</summary>
    public Meter Meter => _meter.Meter;

    /// <summary>How often reads found totals in memory, and what came and went.</summary>
    internal (long Hits, long Misses, long Loaded, long Evicted) TotalsReads =>
        (_reads.Hits, _reads.Misses, _catalogue.Counters.Loaded, _catalogue.Counters.Evicted);

    /// <summary>The last position added up exactly; it may be on its way to the store.</summary>
    internal long AddedUpTo => _checkpointer.AddedUpTo;

    /// <summary>The cut that readers see now.</summary>
    internal LiveView View => _views.View;

    /// <summary>How often the bounds of a namespace really held, as the checkpoints showed; without windows while nothing approximate was stored.</summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <exception cref="ArgumentException">There is no such namespace.</exception>
    public NamespaceAccuracy AccuracyOf(string @namespace)
    {
        NamespaceEntry owner = Existing(@namespace);
        return _audit.Find(@namespace) ?? new NamespaceAudit(owner.State.Definition.Name).Figures;
    }
}
