using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sketch.Engine.Tables;
using Sketch.Sketches;

namespace Sketch.Engine.Windows;

/// <summary>
/// Which counters may be a namespace's heaviest in a window: those whose sums in it, or what a sketch makes of them, are the largest. A sum is looked at when it has grown by a sixteenth, so that
/// nearly no increment of a heavy counter costs anything: whoever is not among them has at most seventeen sixteenths of <see cref="HeavyHitters.Offset"/>. That is certain of exact sums; of a
/// sketch's as far as nobody else raises a counter's cells between its own increments. A namespace whose counters weigh less than the sketch's error, for all others of the window, gets any of them.
/// </summary>
internal sealed class HeaviestCandidates
{
    /// <summary>How many there are at most.</summary>
    public const int Capacity = 1_024;

    // A sum that passes a multiple of the bit four below its highest one changes a bit that its 32nd part does not reach.
    private const int StepShift = 5;

    private readonly HeavyHitters _heaviest = new(Capacity);

    /// <summary>Copies them, in no order, while the writer may go on.</summary>
    /// <param name="into">As long as <see cref="Capacity"/>.</param>
    /// <returns>How many there are.</returns>
    public int CopyTo(Span<HeavyHitter> into) => _heaviest.CopyTo(into);

    /// <summary>Looks at counters that a sketch was added to for.</summary>
    /// <param name="ids">Their ids.</param>
    /// <param name="deltas">What was added, one for each.</param>
    /// <param name="estimates">The estimate of each right after that.</param>
    /// <param name="exact">What else they may have in this window: large deltas, and what came while they were of another tier.</param>
    public void Offer(ReadOnlySpan<ulong> ids, ReadOnlySpan<uint> deltas, ReadOnlySpan<uint> estimates, DeltaTable exact)
    {
        bool isSplit = exact.Count > 0;
        int at = 0;
        for (; at <= ids.Length - Vector256<uint>.Count; at += Vector256<uint>.Count)
        {
            Vector256<uint> sums = Vector256.Create(estimates[at..]);
            Vector256<uint> changed = sums ^ (sums - Vector256.Create(deltas[at..]));
            Vector256<uint> least = Vector256.Create((uint)Math.Min(Least(isSplit), uint.MaxValue));
            Vector256<uint> isDue = Vector256.GreaterThan(changed, sums >> StepShift) & Vector256.GreaterThan(sums, least);
            for (uint due = isDue.ExtractMostSignificantBits(); due != 0; due &= due - 1)
            {
                int i = at + BitOperations.TrailingZeroCount(due);
                Raise(ids[i], estimates[i], exact);
            }
        }

        for (; at < ids.Length; at++)
        {
            if (IsDue(deltas[at], estimates[at], isSplit))
            {
                Raise(ids[at], estimates[at], exact);
            }
        }
    }

    /// <summary>Looks at counters whose exact sums were added to.</summary>
    /// <param name="ids">Their ids.</param>
    /// <param name="deltas">What was added, one for each.</param>
    /// <param name="sums">The sum of each right after that.</param>
    /// <param name="sketch">What else they may have in this window: small deltas of approximate counters.</param>
    public void Offer(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, ReadOnlySpan<long> sums, CountMinSketch? sketch)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            if (IsDue(deltas[i], sums[i], sketch is not null))
            {
                _heaviest.Raise(ids[i], sums[i] + (sketch?.Estimate(ids[i]) ?? 0));
            }
        }
    }

    private void Raise(ulong id, uint estimate, DeltaTable exact) =>
        _heaviest.Raise(id, estimate + (exact.TryGet(id, out long other) ? Math.Max(0, other) : 0));

    // Of a counter in two parts that weighs more than the offset, one weighs more than half of it.
    private long Least(bool isSplit) => isSplit ? _heaviest.Offset / 2 : _heaviest.Offset;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsDue(long delta, long sum, bool isSplit) => sum > Least(isSplit) && (ulong)(sum ^ (sum - delta)) > (ulong)sum >> StepShift;
}
