using System.Collections.Frozen;
using System.Collections.Immutable;
using Sketch.Engine.Elements;
using Sketch.Engine.Windows;

namespace Sketch.Engine.Reads;

/// <summary>
/// One consistent cut, replaced as a whole: exact totals at a checkpoint and the windows after it. A reader works on one view and, when another was published
/// meanwhile, reads again, so that no window counts twice or not at all.
/// </summary>
/// <param name="Epoch">At which checkpoint this view reads the exact totals.</param>
/// <param name="Windows">The windows after it, oldest first; the last one is open.</param>
/// <param name="ExactPosition">The last position that those totals cover.</param>
/// <param name="Heaviest">By namespace number, ids with the largest exact totals.</param>
internal sealed record LiveView(
    long Epoch, LiveWindow[] Windows, long ExactPosition, FrozenDictionary<int, ulong[]> Heaviest)
{
    /// <summary>By counter of the kind top, its largest items as the checkpoints know them.</summary>
    public ImmutableDictionary<ulong, ItemTotals> Items { get; init; } = ImmutableDictionary<ulong, ItemTotals>.Empty;

    /// <summary>The window that increments go to.</summary>
    public LiveWindow Open => Windows[^1];

    /// <summary>Up to this moment everything is exact: right before the first record that is not, and now when there is none.</summary>
    public DateTimeOffset ExactAsOf(DateTimeOffset now) =>
        Windows[0].FirstTimeMs is var first and not 0 ? DateTimeOffset.FromUnixTimeMilliseconds(first - 1) : now;
}
