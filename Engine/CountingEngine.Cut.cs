using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;

namespace Sketch.Engine;

/// <content>Cuts through whole namespaces, for SQL.</content>
public sealed partial class CountingEngine
{
    /// <summary>The log that the engine counts from.</summary>
    public LogIdentity LogIdentity => _log.Identity;

    /// <summary>
    /// The values of counters as one cut: exact totals as the store holds them at a position, and the live windows after it. Null when the totals are of another
    /// position than what readers see now: whoever holds the store still asks again.
    /// </summary>
    /// <param name="position">The last position that the totals cover.</param>
    /// <param name="namespaces">Existing namespaces; all that <paramref name="stored"/> names are among them.</param>
    /// <param name="stored">Counters with their totals at that position.</param>
    /// <param name="withNewNames">Also counters of these namespaces that only live windows name yet.</param>
    /// <param name="confidence">In (0.5, 1).</param>
    /// <exception cref="ArgumentException">A namespace does not exist.</exception>
    public LiveCut? CutAt(
        long position, IReadOnlyList<string> namespaces, IReadOnlyList<StoredCounter> stored, bool withNewNames, double confidence) =>
        _reads.CutAt(position, [.. namespaces.Select(Existing)], stored, withNewNames, confidence);

    /// <summary>Whether what readers see now is exact up to this very position; it stays so while nobody stores: whoever asks holds the store still.</summary>
    /// <param name="position">The position.</param>
    public bool IsExactAt(long position) => _views.View.ExactPosition == position;

    /// <summary>A counter's exact total in memory; null when it is not there, but in the store alone.</summary>
    /// <param name="id">The counter.</param>
    public long? TotalInMemory(ulong id) => _catalogue.Counters.At(id, _views.View.Epoch, out long total) ? total : null;
}
