using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sketch.Sketches;

namespace Sketch.Engine.Windows;

/// <summary>
/// Which counters may be a namespace's heaviest in a window: those whose sums in it, or what a sketch makes of them, are the largest. A sum is looked at when it has grown by a sixteenth: nearly
/// no increment of a heavy counter costs anything, and whoever is not among them has at most seventeen sixteenths of <see cref="HeavyHitters.Offset"/>.
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

    /// <summary>Looks at counters that were added to.</summary>
    /// <param name="ids">Their ids.</param>
    /// <param name="deltas">What was added, one for each.</param>
    /// <param name="estimates">The estimate of each right after that.</param>
    public void Offer(ReadOnlySpan<ulong> ids, ReadOnlySpan<uint> deltas, ReadOnlySpan<uint> estimates)
    {
        int at = 0;
        for (; at <= ids.Length - Vector256<uint>.Count; at += Vector256<uint>.Count)
        {
            Vector256<uint> sums = Vector256.Create(estimates[at..]);
            Vector256<uint> changed = sums ^ (sums - Vector256.Create(deltas[at..]));
            Vector256<uint> offset = Vector256.Create((uint)Math.Min(_heaviest.Offset, uint.MaxValue));
            Vector256<uint> isDue = Vector256.GreaterThan(changed, sums >> StepShift) & Vector256.GreaterThan(sums, offset);
            for (uint due = isDue.ExtractMostSignificantBits(); due != 0; due &= due - 1)
            {
                int i = at + BitOperations.TrailingZeroCount(due);
                _heaviest.Raise(ids[i], estimates[i]);
            }
        }

        for (; at < ids.Length; at++)
        {
            Offer(ids[at], deltas[at], estimates[at]);
        }
    }

    /// <summary>Looks at counters whose sums are exact.</summary>
    /// <param name="ids">Their ids.</param>
    /// <param name="deltas">What was added, one for each.</param>
    /// <param name="sums">The sum of each right after that.</param>
    public void Offer(ReadOnlySpan<ulong> ids, ReadOnlySpan<long> deltas, ReadOnlySpan<long> sums)
    {
        for (int i = 0; i < ids.Length; i++)
        {
            Offer(ids[i], deltas[i], sums[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Offer(ulong id, long delta, long sum)
    {
        if (sum > _heaviest.Offset && (ulong)(sum ^ (sum - delta)) > (ulong)sum >> StepShift)
        {
            _heaviest.Raise(id, sum);
        }
    }
}
