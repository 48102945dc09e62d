using System.Diagnostics.Metrics;
using System.Globalization;
using Sketch.Engine.Audit;

namespace Sketch.Engine;

/// <summary>
/// The engine's figures as instruments of System.Diagnostics.Metrics, in a meter named Sketch of its own: whoever listens asks for them, counting
/// pays nothing. What each one means: docs/metrics.md.
/// </summary>
internal sealed class EngineMeter : IDisposable
{
    private readonly AccuracyAudit _audit;

    public EngineMeter(CountingEngine engine, AccuracyAudit audit)
    {
        _audit = audit;
        Meter = new Meter("Sketch");
        Meter.CreateObservableCounter("increments", () => engine.Status.Increments, description: "Increments counted since the log began, as far as it was replayed.");
        Meter.CreateObservableGauge("increments_per_second", () => engine.Status.IncrementsPerSecond, description: "Increments a second over the last seconds.");
        Meter.CreateObservableGauge("position", () => engine.Status.Position, description: "The last position of the log that was applied.");
        Meter.CreateObservableGauge("checkpoint_position", () => engine.Status.CheckpointPosition, description: "The last position stored exactly.");
        Meter.CreateObservableGauge("exact_as_of_seconds", () => engine.Status.ExactAsOf.ToUnixTimeMilliseconds() / 1000.0, description: "Up to this moment everything is exact, in seconds since 1970.");
        Meter.CreateObservableGauge("open_windows", () => engine.Status.OpenWindows, description: "Windows not yet stored: the open one and those that wait.");
        Meter.CreateObservableGauge("counters", () => engine.Status.Counters, description: "Counters in the catalogue.");
        Meter.CreateObservableGauge("totals_bytes", () => engine.Status.TotalsBytes, description: "Memory of the exact totals.");
        Meter.CreateObservableGauge("distinct_bytes", () => engine.Status.DistinctBytes, description: "Memory of approximate counters of the kind distinct.");
        Meter.CreateObservableGauge("counters_in_memory", () => engine.Status.HotCounters, description: "Counters whose total is in memory.");
        Meter.CreateObservableCounter("totals_hits", () => engine.TotalsReads.Hits, description: "Totals that reads found in memory.");
        Meter.CreateObservableCounter("totals_misses", () => engine.TotalsReads.Misses, description: "Totals that reads had to ask the store for.");
        Meter.CreateObservableCounter("totals_loaded", () => engine.TotalsReads.Loaded, description: "Counters that came back into memory.");
        Meter.CreateObservableCounter("totals_evicted", () => engine.TotalsReads.Evicted, description: "Counters that left memory.");
        Meter.CreateObservableCounter("counters_expired", () => engine.Status.ExpiredCounters, description: "Idle counters that this process deleted.");
        Meter.CreateObservableGauge("counters_expiring", () => engine.Status.ExpiringCounters, description: "Idle counters that are deleted next unless they are incremented.");
        Meter.CreateObservableGauge("checkpoint_failing", () => engine.Status.CheckpointError is null ? 0 : 1, description: "1 while checkpoints can't be stored.");

        Meter.CreateObservableCounter("accuracy_warnings", () => audit.Warnings, description: "How often a namespace's bounds began to fall short.");
        Meter.CreateObservableGauge("accuracy_falls_short", () => OfNamespaces(n => n.Warning is null ? 0 : 1), description: "1 while a namespace's bounds are too narrow.");
        Meter.CreateObservableCounter("accuracy_compared", () => OfNamespaces(n => n.Counters), description: "Counters compared with the truth at checkpoints.");
        Meter.CreateObservableCounter("accuracy_above_upper", () => OfNamespaces(n => n.AboveUpper), description: "Counters that were above their upper bound; always 0.");
        Meter.CreateObservableGauge("accuracy_bias", () => OfNamespaces(n => n.Bias), description: "The mean of value minus truth.");
        Meter.CreateObservableGauge("accuracy_largest_error", () => OfNamespaces(n => n.LargestError), description: "The largest distance of a value from its truth.");
        Meter.CreateObservableGauge("accuracy_coverage", Coverage, description: "The share of counters within their bounds over the last windows.");
    }

    public Meter Meter { get; }

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();

    private Measurement<T>[] OfNamespaces<T>(Func<NamespaceAccuracy, T> figure)
        where T : struct =>
        [.. _audit.All.Where(n => n.Windows > 0).Select(n => new Measurement<T>(figure(n), new KeyValuePair<string, object?>("namespace", n.Namespace)))];

    private IEnumerable<Measurement<double>> Coverage() =>
        from n in _audit.All
        from bound in n.Bounds
        select new Measurement<double>(
            bound.Coverage,
            new KeyValuePair<string, object?>("namespace", n.Namespace),
            new KeyValuePair<string, object?>("confidence", bound.Confidence.ToString(CultureInfo.InvariantCulture)));
}
