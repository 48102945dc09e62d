using System.Collections;
using System.Runtime.CompilerServices;

namespace Sketch.Engine.Checkpoints;

/// <summary>The rows of a window as columns: a run of ids and sums for each namespace. Millions of rows cost no object each.</summary>
[CollectionBuilder(typeof(DeltaColumns), nameof(Create))]
public sealed class DeltaColumns : IReadOnlyList<DeltaRow>
{
    private readonly DeltaRun[] _runs;

    /// <summary>Takes the runs as they are.</summary>
    /// <param name="runs">Ordered by namespace, each once; ids ascending.</param>
    public DeltaColumns(IReadOnlyList<DeltaRun> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        _runs = [.. runs];
        Count = checked(_runs.Sum(r => r.Ids.Length));
    }

    /// <summary>The runs, one a namespace.</summary>
    public IReadOnlyList<DeltaRun> Runs => _runs;

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public DeltaRow this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            foreach (DeltaRun run in _runs)
            {
                if (index < run.Ids.Length)
                {
                    return new DeltaRow(run.Namespace, run.Ids.Span[index], run.Deltas.Span[index]);
                }

                index -= run.Ids.Length;
            }

            throw new ArgumentOutOfRangeException(nameof(index), index, $"index is {index} beyond the last row; allowed: 0 to {Count - 1}");
        }
    }

    /// <summary>From rows that are ordered by (namespace, id) already.</summary>
    public static DeltaColumns Create(ReadOnlySpan<DeltaRow> rows)
    {
        List<DeltaRun> runs = [];
        for (int from = 0, to; from < rows.Length; from = to)
        {
            for (to = from; to < rows.Length && rows[to].Namespace == rows[from].Namespace;)
            {
                to++;
            }

            ulong[] ids = new ulong[to - from];
            long[] deltas = new long[to - from];
            for (int i = from; i < to; i++)
            {
                ids[i - from] = rows[i].Id;
                deltas[i - from] = rows[i].Delta;
            }

            runs.Add(new DeltaRun(rows[from].Namespace, ids, deltas));
        }

        return new DeltaColumns(runs);
    }

    /// <summary>An id's sum; zero when it has none. Ids belong to one namespace each.</summary>
    public long Of(ulong id)
    {
        foreach (DeltaRun run in _runs)
        {
            int at = run.Ids.Span.BinarySearch(id);
            if (at >= 0)
            {
                return run.Deltas.Span[at];
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    public IEnumerator<DeltaRow> GetEnumerator()
    {
        foreach (DeltaRun run in _runs)
        {
            for (int i = 0; i < run.Ids.Length; i++)
            {
                yield return new DeltaRow(run.Namespace, run.Ids.Span[i], run.Deltas.Span[i]);
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>One namespace's rows of a window.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Ids">Counter ids, ascending.</param>
/// <param name="Deltas">Their exact sums, one an id.</param>
public readonly record struct DeltaRun(string Namespace, ReadOnlyMemory<ulong> Ids, ReadOnlyMemory<long> Deltas);
