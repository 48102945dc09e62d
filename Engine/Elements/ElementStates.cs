using System.Collections.Concurrent;
using System.Collections.Immutable;
using Sketch.Accuracy;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;
using Sketch.Sketches;

namespace Sketch.Engine.Elements;

/// <summary>
/// The live states of counters that take elements. The fold writes; doors look whether there is room, readers read. States of the kind distinct hold all that was
/// counted, not a window of it, so that a checkpoint changes nothing in them.
/// </summary>
internal sealed class ElementStates(ElementHasher hasher)
{
    // More than an exact counter may have, even when batches at the same moment passed its limit together.
    private const int MaxLoadedItems = 2 * EngineLimits.MaxExactItems;

    private readonly ConcurrentDictionary<ulong, ExactDistinct> _exact = new();
    private readonly ApproximateDistincts _approximate = new(hasher.DistinctKey);
    private readonly List<(NamespaceState Owner, ulong Id, long Generation)> _touched = [];
    private long _reserved;
    private long _kept;

    public ElementHasher Hasher { get; } = hasher;

    /// <summary>Elements that exact counters keep on this node.</summary>
    public long Kept => Volatile.Read(ref _kept);

    /// <summary>What counters whose elements are not kept take in memory, in bytes.</summary>
    public long ApproximateBytes => _approximate.MemoryBytes;

    /// <summary>A copy of what a counter's state holds; null when it has none.</summary>
    public HeldDistinct? Held(ulong id, CounterState counter) => FindExact(id, counter)?.Hold() ?? _approximate.Hold(id, counter.Generation);

    /// <summary>Room that batches on their way into the log hold.</summary>
    public long Reserved => Volatile.Read(ref _reserved);

    /// <summary>Takes over what the store has; once, before anything is folded.</summary>
    public async Task LoadAsync(ICheckpointStore store, CancellationToken cancellationToken)
    {
        await foreach (IReadOnlyList<StoredDistinct> batch in store.ReadDistinctsAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (StoredDistinct stored in batch)
            {
                Take(stored);
            }
        }

        await foreach (IReadOnlyList<StoredMember> batch in store.ReadMembersAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (StoredMember stored in batch)
            {
                if (_exact.TryGetValue(stored.Id, out ExactDistinct? state) && state.Generation == stored.Generation && state.Keep(stored.Member))
                {
                    _kept++;
                }
            }
        }
    }

    /// <summary>The items that the store has; a counter's largest, and all of them when it is exact.</summary>
    public async Task<ImmutableDictionary<ulong, ItemTotals>> ReadItemsAsync(
        ICheckpointStore store, LogIdentity log, long position, CancellationToken cancellationToken)
    {
        ImmutableDictionary<ulong, ItemTotals>.Builder all = ImmutableDictionary.CreateBuilder<ulong, ItemTotals>();
        List<StoredItem> one = [];
        await foreach (IReadOnlyList<StoredItem> batch in store.ReadItemsAsync(log, position, MaxLoadedItems, cancellationToken).ConfigureAwait(false))
        {
            foreach (StoredItem item in batch)
            {
                if (one.Count > 0 && one[0].Id != item.Id)
                {
                    all[one[0].Id] = ItemTotals.From(one, Hasher, MaxLoadedItems);
                    one.Clear();
                }

                one.Add(item);
            }
        }

        if (one.Count > 0)
        {
            all[one[0].Id] = ItemTotals.From(one, Hasher, MaxLoadedItems);
        }

        return all.ToImmutable();
    }

    /// <summary>The count of a counter, with its bounds.</summary>
    public Estimate Count(ulong id, CounterState counter, double confidence) =>
        FindExact(id, counter) is { } exact ? Estimate.Exact(exact.Count)
        : _approximate.Read(id, counter.Generation, confidence) ?? Estimate.Exact(0);

    /// <summary>The fold adds elements.</summary>
    public void Add(CounterState counter, ulong id, UInt128 element, long position)
    {
        ExactDistinct? state = FindExact(id, counter);
        if (state is null && counter.Tier != Catalogue.Tier.Approximate && !IsApproximate(id, counter))
        {
            _exact[id] = state = new ExactDistinct(new HyperLogLog(Hasher.KeyId), counter.Generation);
        }

        if (state is not null && counter.Tier == Catalogue.Tier.Approximate && position > state.AsOf)
        {
            BecomeApproximate(id, state);
            state = null;
        }

        bool isFirst;
        if (state is null)
        {
            isFirst = _approximate.Add(id, counter.Generation, (ulong)(element >> 64), position);
        }
        else
        {
            isFirst = !state.IsTouched;
            state.IsTouched = true;
            if (position > state.AsOf && state.Add(element))
            {
                Volatile.Write(ref _kept, _kept + 1);
            }
        }

        if (isFirst)
        {
            _touched.Add((counter.Owner, id, counter.Generation));
        }
    }

    /// <summary>What the window that ends here changed, ordered by (namespace, id); for the fold's thread.</summary>
    public DistinctRow[] Capture(long position)
    {
        if (_touched.Count == 0)
        {
            return [];
        }

        // A state that was replaced by a reset in between has nothing more to say: the generation after it does.
        List<DistinctRow> rows = new(_touched.Count);
        foreach ((NamespaceState owner, ulong id, long generation) in
            _touched.OrderBy(t => t.Owner.Definition.Name, StringComparer.Ordinal).ThenBy(t => t.Id))
        {
            if (_exact.TryGetValue(id, out ExactDistinct? exact) && exact.Generation == generation)
            {
                rows.Add(exact.Capture(owner.Definition.Name, id, position));
            }
            else if (_approximate.TryGetGeneration(id, out long now) && now == generation)
            {
                rows.Add(_approximate.Capture(owner.Definition.Name, id, position));
            }
        }

        _touched.Clear();
        _approximate.BeginWindow();
        return [.. rows];
    }

    /// <summary>The counter is gone or begins anew at a position; a state from the store may be of the time after it already.</summary>
    public void Forget(ulong id, long position)
    {
        if (_exact.TryGetValue(id, out ExactDistinct? exact) && exact.Generation < position)
        {
            _exact.TryRemove(id, out _);
            Volatile.Write(ref _kept, _kept - exact.Count);
        }

        if (_approximate.TryGetGeneration(id, out long generation) && generation < position)
        {
            _approximate.Remove(id);
        }
    }

    /// <summary>
    /// Reserves room for what a batch adds to counters that keep their elements; null when there is room, else the refusal. A batch that adds nothing new always
    /// has room, so that retries are answered. A refused batch holds nothing: <paramref name="reserved"/> is then zero.
    /// </summary>
    public Rejection? TryReserve(ElementColumns elements, Func<ulong, CounterState?> counters, out long reserved)
    {
        reserved = 0;
        if (elements.DistinctCount == 0)
        {
            return null;
        }

        long more = 0;
        Dictionary<ulong, int> added = [];
        ReadOnlySpan<ulong> ids = elements.DistinctIds;
        for (int i = 0; i < ids.Length; i++)
        {
            if (counters(ids[i]) is not { } counter || counter.Tier == Catalogue.Tier.Approximate)
            {
                continue;
            }

            ExactDistinct? state = FindExact(ids[i], counter);
            if (state?.Contains(elements.Hashes[i]) ?? IsApproximate(ids[i], counter))
            {
                continue;
            }

            int ofCounter = added[ids[i]] = added.GetValueOrDefault(ids[i]) + 1;
            if ((state?.Count ?? 0) + ofCounter > EngineLimits.MaxExactElements)
            {
                return Full(counter, "elements already counted", EngineLimits.MaxExactElements, "an exact counter of distinct elements");
            }

            more++;
        }

        if (Interlocked.Add(ref _reserved, more) + Kept > EngineLimits.MaxExactElementsOfNode && more > 0)
        {
            Release(more);
            return new Rejection(
                RejectionReason.QuotaExceeded, "element", $"{more} new ones",
                $"elements already counted: the node keeps at most {EngineLimits.MaxExactElementsOfNode} elements of exact counters; the tier approximate keeps none");
        }

        reserved = more;
        return null;
    }

    /// <summary>Gives room back: the batch was counted, or was not.</summary>
    public void Release(long reserved) => Interlocked.Add(ref _reserved, -reserved);

    private static Rejection Full(CounterState counter, string allowed, int most, string what) => new(
        RejectionReason.QuotaExceeded, "element", $"one more for '{counter.Definition.Name}'",
        $"{allowed}: {what} keeps at most {most}; the tier approximate has no such limit");

    private void Take(StoredDistinct stored)
    {
        HyperLogLog sketch = stored.Sketch.Length > 0
            ? HyperLogLog.Load(stored.Sketch, Hasher.KeyId)
            : HyperLogLogSql.FromColumn(Hasher.KeyId, HyperLogLog.DefaultPrecision, stored.Indexes, stored.Ranks);
        if (stored.IsExact)
        {
            _exact[stored.Id] = new ExactDistinct(sketch, stored.Generation, stored.Position);
        }
        else
        {
            _approximate.Take(sketch, stored);
        }
    }

    // Readers look among the exact ones first: they always find it.
    private void BecomeApproximate(ulong id, ExactDistinct exact)
    {
        _approximate.Take(id, exact);
        _exact.TryRemove(id, out _);
        Volatile.Write(ref _kept, _kept - exact.Count);
    }

    private ExactDistinct? FindExact(ulong id, CounterState counter) =>
        _exact.TryGetValue(id, out ExactDistinct? state) && state.Generation == counter.Generation ? state : null;

    // One that is, or was, approximate can't begin to keep elements: what came before is unknown.
    private bool IsApproximate(ulong id, CounterState counter) =>
        _approximate.TryGetGeneration(id, out long generation) && generation == counter.Generation;
}
