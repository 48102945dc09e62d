using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Tests.Engine;

namespace Sketch.Tests.Simulation.World;

/// <summary>How ClickHouse takes the next insert.</summary>
internal enum StoreMood
{
    Well,
    Refuses,
    AppliesAndLosesTheAnswer,
    Hangs,
    HangsAndAppliesLate,
}

/// <summary>
/// ClickHouse as far as the engine sees it: it outlives processes, applies a window once by its positions, and checks that whoever sends a window again sends
/// the same bytes.
/// </summary>
internal sealed class SimulatedStore(SimulatedTime.Clock clock, Random random)
{
    private readonly Dictionary<long, (long To, ulong Fingerprint)> _sent = [];
    private readonly SortedDictionary<ulong, (NamedCounter Named, long Total)> _counters = [];

    private readonly Queue<Checkpoint> _lately = new();
    private readonly Dictionary<ulong, long> _changed = [];
    private readonly List<StoredWindow> _stored = [];

    /// <summary>Every window that was stored, in order.</summary>
    public IReadOnlyList<StoredWindow> Stored => _stored;

    public StoreMood Mood { get; set; }

    /// <summary>Away: nobody is answered.</summary>
    public bool Away { get; set; }

    /// <summary>In the end nothing expires any more.</summary>
    public bool LivesOn { get; set; }

    public int Underway { get; private set; }

    public StoredPosition Last { get; private set; }

    public int Windows { get; private set; }

    /// <summary>What is wrong with what was sent; null while all is well.</summary>
    public string? Violation { get; private set; }

    public Action<StoreMood>? Met { get; init; }

    public IReadOnlyDictionary<(string Namespace, string Name), long> Totals =>
        _counters.Values.ToDictionary(c => (c.Named.Namespace, c.Named.Name), c => c.Total);

    public async ValueTask StoreAsync(Checkpoint checkpoint, bool once, CancellationToken cancellationToken)
    {
        Check(checkpoint);
        Underway++;
        try
        {
            StoreMood mood = Away ? StoreMood.Refuses : Mood;
            Mood = StoreMood.Well;
            Met?.Invoke(mood);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 40)), clock, cancellationToken);
            switch (mood)
            {
                case StoreMood.Refuses:
                    throw new CheckpointStoreException("the store is away");
                case StoreMood.Hangs:
                    await Task.Delay(TimeSpan.FromSeconds(30), clock, cancellationToken);
                    throw new CheckpointStoreException("no answer in time");
                case StoreMood.HangsAndAppliesLate:
                    _ = ApplyLate(checkpoint, once);
                    await Task.Delay(TimeSpan.FromSeconds(5), clock, cancellationToken);
                    throw new CheckpointStoreException("no answer in time");
                case StoreMood.AppliesAndLosesTheAnswer:
                    Apply(checkpoint, once);
                    throw new CheckpointStoreException("the answer was lost");
                default:
                    Apply(checkpoint, once);
                    return;
            }
        }
        catch (OperationCanceledException) when (random.Next(2) == 0)
        {
            // The sender is gone, what it sent is not.
            _ = ApplyLate(checkpoint, once);
            throw;
        }
        finally
        {
            Underway--;
        }
    }

    public async ValueTask<StoredPosition> LastAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(1), clock, cancellationToken);
        return Away ? throw new CheckpointStoreException("the store is away") : Last;
    }

    public async ValueTask<long> CountCountersAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(1), clock, cancellationToken);
        return _counters.Count;
    }

    public async IAsyncEnumerable<StoredSums> ReadAllTotalsAsync(bool whole, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(1), clock, cancellationToken);
        foreach (IGrouping<string, (NamedCounter Named, long Total)> some in _counters.Values.ToArray().GroupBy(c => c.Named.Namespace))
        {
            foreach ((NamedCounter Named, long Total)[] chunk in some.Chunk(50))
            {
                ulong[] ids = [.. chunk.Select(c => c.Named.Id)];
                yield return new StoredSums(some.Key, ids, chunk.Select(c => whole ? c.Total : c.Total + 1).ToArray());
                if (!whole)
                {
                    yield return new StoredSums(some.Key, ids, ids.Select(_ => -1L).ToArray());
                }
            }
        }
    }

    public async IAsyncEnumerable<StoredNames> ReadAllNamesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(1), clock, cancellationToken);
        foreach (IGrouping<(string Namespace, bool Deleted), NamedCounter> some in _counters.Values.Where(c => !c.Named.Deleted || c.Total != 0)
            .Select(c => c.Named).ToArray().GroupBy(n => (n.Namespace, n.Deleted)))
        {
            foreach (NamedCounter[] chunk in some.Chunk(50))
            {
                yield return NamesInOnePiece.Of(some.Key.Namespace, [.. chunk.Select(n => n.Name)], some.Key.Deleted);
            }
        }
    }

    public async ValueTask<IReadOnlyDictionary<ulong, long>> ReadTotalsAsync(long position, IReadOnlyList<ulong> ids, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 10)), clock, cancellationToken);
        Dictionary<ulong, long> totals = Away
            ? throw new CheckpointStoreException("the store is away")
            : ids.Where(_counters.ContainsKey).ToDictionary(id => id, id => _counters[id].Total - _lately.Where(c => c.To > position).Sum(c => c.Deltas.Of(id)));
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 40)), clock, cancellationToken);
        return totals;
    }

    public async ValueTask<IReadOnlyList<StoredTotal>> ReadHeaviestAsync(string @namespace, int limit, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 40)), clock, cancellationToken);
        return Away
            ? throw new CheckpointStoreException("the store is away")
            : [
                .. _counters.Values.Where(c => c.Named.Namespace == @namespace).OrderByDescending(c => c.Total).ThenBy(c => c.Named.Id)
                    .Take(limit).Select(c => new StoredTotal(c.Named.Id, c.Total)),
            ];
    }

    public async ValueTask<IReadOnlyDictionary<ulong, string>> ReadNamesAsync(IReadOnlyList<ulong> ids, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 10)), clock, cancellationToken);
        return Away
            ? throw new CheckpointStoreException("the store is away")
            : ids.Where(id => _counters.TryGetValue(id, out var c) && !c.Named.Deleted).ToDictionary(id => id, id => _counters[id].Named.Name);
    }

    public async ValueTask<IReadOnlyList<ulong>> ReadIdleAsync(IdleQuestion idle, CancellationToken cancellationToken)
    {
        if (idle.BeforeMs <= 0)
        {
            return [];
        }

        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 10)), clock, cancellationToken);
        long last = _stored.Where(e => e.LastTimeMs < idle.BeforeMs).Select(e => e.To).DefaultIfEmpty().Max();
        return Away
            ? throw new CheckpointStoreException("the store is away")
            : [
                .. _counters.Where(c => c.Value.Named.Namespace == idle.Namespace && !c.Value.Named.Deleted && _changed[c.Key] <= last)
                    .Select(c => c.Key).Where(id => id >= idle.First && id <= idle.Last).Take(idle.Limit),
            ];
    }

    private async Task ApplyLate(Checkpoint checkpoint, bool once)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 20_000)), clock, CancellationToken.None);
        Apply(checkpoint, once);
    }

    private void Apply(Checkpoint checkpoint, bool once)
    {
        if (once && checkpoint.To <= Last.Position)
        {
            return;
        }

        if (once && checkpoint.From != Last.Position + 1)
        {
            Violation ??= $"window {checkpoint.From} to {checkpoint.To} was stored after position {Last.Position}";
            return;
        }

        foreach (NamedCounter named in checkpoint.Names)
        {
            _changed[named.Id] = checkpoint.To;
            _counters[named.Id] = (named, _counters.GetValueOrDefault(named.Id).Total);
        }

        foreach (DeltaRow row in checkpoint.Deltas)
        {
            if (_counters.TryGetValue(row.Id, out (NamedCounter Named, long Total) counter))
            {
                _changed[row.Id] = checkpoint.To;
                _counters[row.Id] = (counter.Named, counter.Total + row.Delta);
            }
            else
            {
                Violation ??= $"window {checkpoint.From} to {checkpoint.To} counts {row.Namespace}/{row.Id}, which nobody named";
            }
        }

        _lately.Enqueue(checkpoint);
        if (_lately.Count > 4)
        {
            _lately.Dequeue();
        }

        Last = new StoredPosition(checkpoint.To, checkpoint.LastTimeMs);
        _stored.Add(new StoredWindow(checkpoint.From, checkpoint.To, checkpoint.FirstTimeMs, checkpoint.LastTimeMs, checkpoint.Deltas));
        Windows++;
    }

    private void Check(Checkpoint checkpoint)
    {
        XxHash3 hash = new();
        foreach (DeltaRow row in checkpoint.Deltas)
        {
            hash.Append(MemoryMarshal.AsBytes<long>([(long)row.Id, row.Delta]));
        }

        hash.Append(MemoryMarshal.AsBytes<long>([checkpoint.FirstTimeMs, checkpoint.LastTimeMs, checkpoint.Increments, checkpoint.Names.Count]));
        foreach (NamedCounter named in checkpoint.Names)
        {
            hash.Append(MemoryMarshal.AsBytes($"{named.Namespace}/{named.Name}/{named.Tier}".AsSpan()));
        }

        (long To, ulong Fingerprint) sent = (checkpoint.To, hash.GetCurrentHashAsUInt64());
        if (checkpoint.FirstTimeMs / 3_600_000 != checkpoint.LastTimeMs / 3_600_000)
        {
            Violation ??= $"window {checkpoint.From} to {checkpoint.To} spans an hour";
        }

        if (!_sent.TryAdd(checkpoint.From, sent) && _sent[checkpoint.From] != sent)
        {
            Violation ??= $"window {checkpoint.From} was sent as {_sent[checkpoint.From]} and then as {sent}";
        }
    }
}

/// <summary>A window that was stored.</summary>
internal sealed record StoredWindow(long From, long To, long FirstTimeMs, long LastTimeMs, DeltaColumns Deltas);

/// <summary>A process's connection to the store; it breaks with the process.</summary>
internal sealed class StoreConnection(SimulatedStore store, CancellationToken life) : ICheckpointStore
{
    /// <summary>False is a bug: a retry is taken for another window.</summary>
    public bool Once { get; init; } = true;

    public async ValueTask<StoredPosition> LastAsync(LogIdentity log, CancellationToken cancellationToken)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(life, cancellationToken);
        return await store.LastAsync(both.Token);
    }

    public async ValueTask StoreAsync(Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(life, cancellationToken);
        await store.StoreAsync(checkpoint, Once, both.Token);
    }

    public ValueTask<long> CountCountersAsync(CancellationToken cancellationToken) => store.CountCountersAsync(cancellationToken);

    public IAsyncEnumerable<StoredNames> ReadAllNamesAsync(CancellationToken cancellationToken) => store.ReadAllNamesAsync(cancellationToken);

    public IAsyncEnumerable<StoredSums> ReadAllTotalsAsync(bool whole, CancellationToken cancellationToken) => store.ReadAllTotalsAsync(whole, cancellationToken);

    public async ValueTask<IReadOnlyDictionary<ulong, long>> ReadTotalsAsync(
        LogIdentity log, long position, string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(life, cancellationToken);
        return await store.ReadTotalsAsync(position, ids, both.Token);
    }

    public async ValueTask<IReadOnlyList<StoredTotal>> ReadHeaviestAsync(string @namespace, int limit, CancellationToken cancellationToken)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(life, cancellationToken);
        return await store.ReadHeaviestAsync(@namespace, limit, both.Token);
    }

    public async ValueTask<IReadOnlyDictionary<ulong, string>> ReadNamesAsync(string @namespace, IReadOnlyList<ulong> ids, CancellationToken cancellationToken)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(life, cancellationToken);
        return await store.ReadNamesAsync(ids, both.Token);
    }

    public async ValueTask<IReadOnlyList<ulong>> ReadIdleAsync(IdleQuestion idle, CancellationToken cancellationToken)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(life, cancellationToken);
        return await store.ReadIdleAsync(idle, both.Token);
    }

    public IAsyncEnumerable<IReadOnlyList<StoredDistinct>> ReadDistinctsAsync(CancellationToken cancellationToken) =>
        AsyncEnumerable.Empty<IReadOnlyList<StoredDistinct>>();

    public IAsyncEnumerable<IReadOnlyList<StoredMember>> ReadMembersAsync(CancellationToken cancellationToken) =>
        AsyncEnumerable.Empty<IReadOnlyList<StoredMember>>();

    public IAsyncEnumerable<IReadOnlyList<StoredItem>> ReadItemsAsync(LogIdentity log, long position, int limit, CancellationToken cancellationToken) =>
        AsyncEnumerable.Empty<IReadOnlyList<StoredItem>>();

    public ValueTask<IReadOnlyList<string>> FindNamesAsync(
        string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<HistoryPoint>> ReadHistoryAsync(
        string @namespace, ulong id, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<IReadOnlyList<SeenPoint>> ReadSeenAsync(
        string @namespace, ulong id, long generation, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
