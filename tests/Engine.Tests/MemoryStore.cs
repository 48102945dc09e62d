using System.Runtime.CompilerServices;
using System.Text;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Tests.Engine;

/// <summary>A store that keeps checkpoints in memory, and fails on demand; the real one is tested in Storage.Tests and Integration.</summary>
internal sealed partial class MemoryStore : ICheckpointStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, (NamedCounter Named, long Total)> _counters = [];
    private readonly HashSet<ulong> _incremented = [];
    private int _storesBegun;

    public List<Checkpoint> Checkpoints { get; } = [];

    /// <summary>How many of the next stores fail before anything was applied.</summary>
    public int FailNext { get; set; }

    /// <summary>How many of the next stores are applied but answered with a failure.</summary>
    public int LoseAnswers { get; set; }

    /// <summary>Stores keep the members of a window, and fail before anything else of it.</summary>
    public bool FailAfterMembers { get; set; }

    /// <summary>How many stores failed.</summary>
    public int Failures { get; private set; }

    public long Total(string @namespace, string name)
    {
        lock (_gate)
        {
            return _counters.Values.Where(c => c.Named.Namespace == @namespace && c.Named.Name == name).Sum(c => c.Total);
        }
    }

    public ValueTask<StoredPosition> LastAsync(LogIdentity log, CancellationToken cancellationToken) =>
        new((Checkpoints.Count == 0 ? default : new StoredPosition(Checkpoints[^1].To, Checkpoints[^1].LastTimeMs)) with { UnfinishedRows = UnfinishedRows(NamesReads) });

    /// <summary>How many rows of unfinished windows there are, after so many reads of all names.</summary>
    public Func<int, long> UnfinishedRows { get; set; } = _ => 0;

    /// <summary>How often all names were read.</summary>
    public int NamesReads { get; private set; }

    /// <summary>Stores wait for it.</summary>
    public Task StoreWait { get; set; } = Task.CompletedTask;

    /// <summary>How many stores have begun.</summary>
    public int StoresBegun => Volatile.Read(ref _storesBegun);

    public async ValueTask StoreAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _storesBegun);
        await StoreWait.WaitAsync(cancellationToken);
        lock (_gate)
        {
            if (FailNext > 0)
            {
                FailNext--;
                Failures++;
                throw new CheckpointStoreException("the store is away");
            }

            if (FailAfterMembers)
            {
                AddMembers(checkpoint);
                Failures++;
                throw new CheckpointStoreException("the store is away");
            }

            if (Checkpoints.Count == 0 || Checkpoints[^1].To < checkpoint.To)
            {
                Apply(checkpoint);
            }

            if (LoseAnswers > 0)
            {
                LoseAnswers--;
                throw new CheckpointStoreException("the answer was lost");
            }
        }
    }

    public ValueTask<long> CountCountersAsync(CancellationToken cancellationToken) => new(_counters.Count);

    public async IAsyncEnumerable<StoredNames> ReadAllNamesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        NamesReads++;
        foreach (var some in _counters.Values.Where(c => !c.Named.Deleted || c.Total != 0).GroupBy(c => (c.Named.Namespace, c.Named.Deleted)))
        {
            foreach (var chunk in some.Chunk(3))
            {
                yield return NamesInOnePiece.Of(some.Key.Namespace, [.. chunk.Select(c => c.Named.Name)], some.Key.Deleted);
            }
        }
    }

    public async IAsyncEnumerable<StoredSums> ReadAllTotalsAsync(bool whole, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        foreach (var some in _counters.Values.Where(c => _incremented.Contains(c.Named.Id)).GroupBy(c => c.Named.Namespace))
        {
            foreach (var chunk in some.Chunk(3))
            {
                yield return new StoredSums(some.Key, chunk.Select(c => c.Named.Id).ToArray(), chunk.Select(c => whole ? c.Total : c.Total + 1_000).ToArray());
                if (!whole)
                {
                    yield return new StoredSums(some.Key, chunk.Select(c => c.Named.Id).ToArray(), chunk.Select(_ => -1_000L).ToArray());
                }
            }
        }
    }

    /// <summary>How often totals were asked for.</summary>
    public int TotalsReads { get; private set; }

    /// <summary>The next read of totals waits for it.</summary>
    public Task TotalsWait { get; set; } = Task.CompletedTask;

    /// <summary>Reads of totals and names fail.</summary>
    public bool ReadsFail { get; set; }

    public async ValueTask<IReadOnlyDictionary<ulong, long>> ReadTotalsAsync(
        LogIdentity log, long position, string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken)
    {
        Task wait = TotalsWait;
        TotalsWait = Task.CompletedTask;
        await wait.WaitAsync(cancellationToken);
        lock (_gate)
        {
            TotalsReads++;
            if (ReadsFail)
            {
                throw new CheckpointStoreException("the store is away");
            }

            Assert.Equal(ids.Distinct(), ids);
            return ids.Where(id => _counters.TryGetValue(id, out var c) && c.Named.Namespace == @namespace)
                .ToDictionary(id => id, id => _counters[id].Total - Checkpoints.Where(c => c.To > position).Sum(c => c.Deltas.Of(id)));
        }
    }

    public ValueTask<IReadOnlyList<StoredTotal>> ReadHeaviestAsync(string @namespace, int limit, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return ReadsFail
                ? throw new CheckpointStoreException("the store is away")
                : new([
                    .. _counters.Values.Where(c => c.Named.Namespace == @namespace).OrderByDescending(c => c.Total).ThenBy(c => c.Named.Id)
                        .Take(limit).Select(c => new StoredTotal(c.Named.Id, c.Total)),
                ]);
        }
    }

    public async ValueTask<IReadOnlyDictionary<ulong, string>> ReadNamesAsync(
        string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken)
    {
        await BeforeNames();
        lock (_gate)
        {
            return ReadsFail
                ? throw new CheckpointStoreException("the store is away")
                : ids.Where(id => _counters.TryGetValue(id, out var c) && c.Named.Namespace == @namespace && !c.Named.Deleted)
                    .ToDictionary(id => id, id => _counters[id].Named.Name);
        }
    }

    /// <summary>Comes between the question who is idle and its answer.</summary>
    public Func<Task> BeforeIdle { get; set; } = () => Task.CompletedTask;

    /// <summary>Comes between the question for names and its answer.</summary>
    public Func<Task> BeforeNames { get; set; } = () => Task.CompletedTask;

    public async ValueTask<IReadOnlyList<ulong>> ReadIdleAsync(IdleQuestion idle, CancellationToken cancellationToken)
    {
        await BeforeIdle();
        lock (_gate)
        {
            long last = Checkpoints.Where(c => c.LastTimeMs < idle.BeforeMs).Select(c => c.To).DefaultIfEmpty().Max();
            HashSet<ulong> busy =
            [
                .. Checkpoints.Where(c => c.To > last)
                    .SelectMany(c => c.Deltas.Select(d => d.Id).Concat(c.Names.Select(n => n.Id)).Concat(c.Distincts.Select(d => d.Id))),
            ];
            return ReadsFail
                ? throw new CheckpointStoreException("the store is away")
                : [
                    .. _counters.Where(c => c.Value.Named.Namespace == idle.Namespace && !c.Value.Named.Deleted)
                        .Select(c => c.Key).Where(id => id >= idle.First && id <= idle.Last && !busy.Contains(id)).Order().Take(idle.Limit),
                ];
        }
    }

    public ValueTask<IReadOnlyList<string>> FindNamesAsync(
        string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return new([
                .. _counters.Values.Where(c => c.Named.Namespace == @namespace && !c.Named.Deleted).Select(c => c.Named.Name)
                    .Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && (after is null || Compare(n, after) > 0))
                    .Order(Comparer<string>.Create(Compare)).Take(limit),
            ]);
        }
    }

    public ValueTask<IReadOnlyList<HistoryPoint>> ReadHistoryAsync(
        string @namespace, ulong id, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            long stepMs = stepHours * 3_600_000L;
            IEnumerable<HistoryPoint> points =
                from checkpoint in Checkpoints
                from row in checkpoint.Deltas
                where row.Namespace == @namespace && row.Id == id
                    && checkpoint.FirstTimeMs >= @from.ToUnixTimeMilliseconds() && checkpoint.FirstTimeMs < to.ToUnixTimeMilliseconds()
                group row.Delta by checkpoint.FirstTimeMs / stepMs * stepMs into step
                orderby step.Key
                select new HistoryPoint(DateTimeOffset.FromUnixTimeMilliseconds(step.Key), step.Sum());
            return new([.. points]);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static int Compare(string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));

    private void Apply(Checkpoint checkpoint)
    {
        Assert.Equal(Checkpoints.Count == 0 ? 1 : Checkpoints[^1].To + 1, checkpoint.From);
        foreach (NamedCounter named in checkpoint.Names)
        {
            _counters[named.Id] = (named, _counters.GetValueOrDefault(named.Id).Total);
        }

        foreach (DeltaRow row in checkpoint.Deltas)
        {
            _incremented.Add(row.Id);
            (NamedCounter named, long total) = _counters[row.Id];
            _counters[row.Id] = (named, total + row.Delta);
        }

        ApplyElements(checkpoint);
        Checkpoints.Add(checkpoint);
    }
}
