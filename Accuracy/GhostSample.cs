using System.Buffers.Binary;
using Sketch.Sketches;

namespace Sketch.Accuracy;

/// <summary>
/// A sample of ghosts (ids that nobody adds) and what sketches answer for them: the distribution of pure error that
/// <see cref="GhostBound"/> turns into bounds.
/// <para>
/// Ghost ids are drawn from a secret key: nobody can add them on purpose, and by chance one of 10 million random 64-bit ids is
/// among 2,048 ghosts with probability 10^-9, in which case that one ghost makes the bound a little wider, never narrower.
/// </para>
/// <para>
/// Order matters while a writer goes on: take the values' estimates FIRST, then <see cref="Evaluate(ReadOnlySpan{CountMinSketch})"/>.
/// Ghosts' answers only grow, so later ones are on the safe side; earlier ones would not be. Not safe for concurrent use.
/// </para>
/// </summary>
public sealed class GhostSample
{
    /// <summary>The most ghosts.</summary>
    public const int MaxGhosts = 1 << 20;

    /// <summary>The largest group that <see cref="GroupError"/> speaks for.</summary>
    public const int MaxGroup = 1 << 14;

    // Of so many, the two-sigma order statistic still exists at 99 %.
    private const int Groups = 1_024;

    private readonly ulong[] _ids;
    private readonly uint[] _estimates;
    private readonly long[] _sums;

    /// <summary>Draws the ghosts.</summary>
    /// <param name="key">A secret key of the deployment (any purpose of its own).</param>
    /// <param name="ghosts">How many, 16 to 1,048,576: 2,048 vouch for up to 99.8 %, see <see cref="GhostBound.FewestGhosts"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="ghosts"/> is out of range.</exception>
    public GhostSample(SketchKey key, int ghosts = 2048)
    {
        if (ghosts is < 16 or > MaxGhosts)
            throw new ArgumentOutOfRangeException(nameof(ghosts), ghosts, $"ghosts is {ghosts}; allowed 16 to {MaxGhosts}");
        _ids = new ulong[ghosts];
        _estimates = new uint[ghosts];
        _sums = new long[ghosts];
        Span<byte> number = stackalloc byte[sizeof(int)];
        for (int i = 0; i < ghosts; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(number, i);
            _ids[i] = ElementHash.Compute(key, number);
        }
    }

    /// <summary>How many ghosts there are.</summary>
    public int Count => _ids.Length;

    /// <summary>The ghosts' ids, for those who evaluate an expression of their own.</summary>
    public ReadOnlySpan<ulong> Ids => _ids;

    /// <summary>
    /// Asks every sketch for every ghost and adds up, as the values' estimates are added up over the same sketches (windows,
    /// partitions). None at all means that there is no error.
    /// </summary>
    /// <param name="windows">The very sketches that the values were estimated from.</param>
    public void Evaluate(ReadOnlySpan<CountMinSketch> windows)
    {
        Array.Clear(_sums);
        foreach (CountMinSketch window in windows)
        {
            window.Estimate(_ids, _estimates);
            for (int i = 0; i < _sums.Length; i++)
                _sums[i] += _estimates[i];
        }

        Array.Sort(_sums);
    }

    /// <summary>
    /// What to subtract from an estimate so that the truth is not below with the given confidence; <see cref="long.MaxValue"/>
    /// when the ghosts are too few for it (the lower bound is then 0, which is always true).
    /// </summary>
    /// <param name="confidence">In (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="confidence"/> is out of range.</exception>
    public long Quantile(double confidence)
    {
        int rank = GhostBound.OrderStatistic(_sums.Length, confidence);
        return rank > _sums.Length ? long.MaxValue : _sums[rank - 1];
    }

    /// <summary>
    /// The error of a sum over many ids of one sketch: groups of ghosts are drawn from this sample (with a fixed seed) and added up.
    /// Subtract the quantile from the group's summed estimates for its lower bound, the median for its value. Totals of large or
    /// fixed groups are better counted on their own at ingest: the error of a sum grows with the group.
    /// </summary>
    /// <param name="size">Ids in the group, 1 to 16,384.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public (long Quantile, long Median) GroupError(int size, double confidence)
    {
        if (size is < 1 or > MaxGroup)
            throw new ArgumentOutOfRangeException(nameof(size), size, $"size is {size}; allowed 1 to {MaxGroup}");
        int rank = GhostBound.OrderStatistic(Groups, confidence);
        long[] groups = new long[Groups];
        ulong state = 0x9e3779b97f4a7c15;
        for (int group = 0; group < Groups; group++)
        {
            for (int i = 0; i < size; i++)
            {
                state = state * 6364136223846793005 + 1442695040888963407;
                groups[group] += _sums[(int)((state >> 32) * (ulong)_sums.Length >> 32)];
            }
        }

        Array.Sort(groups);
        return (rank > Groups ? long.MaxValue : groups[rank - 1], groups[Groups / 2]);
    }

    /// <summary>The middle ghost: what to subtract from an estimate for the best single answer.</summary>
    public long Median => _sums[_sums.Length / 2];
}
