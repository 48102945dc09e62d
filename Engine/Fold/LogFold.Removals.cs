using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;

namespace Sketch.Engine.Fold;

/// <content>Deletions, resets, and batches that did not know of them.</content>
internal sealed partial class LogFold
{
    /// <summary>So many deletions are remembered at most.</summary>
    public const int MostRemembered = 1 << 17;

    private readonly Dictionary<ulong, long> _removed = [];
    private readonly Dictionary<ulong, long> _madeAgain = [];
    private long _lastRemoval;
    private long _lastOfOtherKind;

    /// <summary>Deleted counters that were not made again, with the position of the deletion.</summary>
    public IReadOnlyDictionary<ulong, long> Removed => _removed;

    /// <summary>Counters that were made again after a deletion, with the position of that: a batch judged before it was meant for the one before.</summary>
    public IReadOnlyDictionary<ulong, long> RemovedBefore => _madeAgain;

    /// <summary>Deletions up to this position may be forgotten; a batch judged before it is out of date, whatever it holds.</summary>
    public long ForgottenRemovals { get; private set; }

    /// <summary>Takes over what a snapshot holds.</summary>
    public void RestoreRemovals(IReadOnlyList<ulong> removed, IReadOnlyList<ulong> madeAgain, long forgotten)
    {
        ForgottenRemovals = forgotten;
        _lastRemoval = Math.Max(_lastRemoval, forgotten);
        Restore(_removed, removed);
        Restore(_madeAgain, madeAgain);
    }

    private void Restore(Dictionary<ulong, long> removals, IReadOnlyList<ulong> pairs)
    {
        for (int i = 0; i < pairs.Count; i += 2)
        {
            removals[pairs[i]] = (long)pairs[i + 1];
            _lastRemoval = Math.Max(_lastRemoval, (long)pairs[i + 1]);
        }
    }

    private void Remove<TSink>(in LoggedRecord record, TSink sink)
        where TSink : IFoldSink
    {
        RemovalRecord removal = RemovalRecord.From(record.Payload);
        if (!_byName.TryGetValue(removal.Namespace, out NamespaceState? owner))
        {
            throw new InvalidDataException($"The log holds a removal at {record.Position} from a namespace that it does not define.");
        }

        CutAtHour(record, sink);
        IReadOnlyList<string> names = Removable(removal);
        if (_window.Increments > 0 && names.Count > 0)
        {
            // What is removed is then all that earlier windows hold, and all of its own window comes after it.
            Close(record.Position - 1, sink);
        }

        Extend(record);
        _window = _window with { Definitions = _window.Definitions + 1 };
        EndExpiring(removal, sink);
        foreach (string name in names)
        {
            ulong id = CounterId.Of(removal.Namespace, name);
            Expiring.Save(id);
            if (removal.Deleted)
            {
                if (_counters.Remove(id, out CounterState? state) && state.Tier != owner.Definition.Tier)
                {
                    LastTierChange = record.Position;
                }

                _removed[id] = record.Position;
                _madeAgain.Remove(id);
                _lastRemoval = record.Position;
            }
            // Readers first learn that nothing before this window counts, then of the new generation: in between they see the counter at zero, not in part.
            sink.Removed(owner, id, name, removal.Deleted);
            if (_counters.TryGetValue(id, out CounterState? again))
            {
                again.BeginAgain(record.Position);
            }
        }

        ForgetRemovals();
    }

    // Oldest first, an eighth at a time, so that the sort is rare.
    private void ForgetRemovals()
    {
        if (_removed.Count + _madeAgain.Count < MostRemembered)
        {
            return;
        }

        foreach ((ulong id, long position) in _removed.Concat(_madeAgain).OrderBy(r => r.Value).Take(MostRemembered / 8).ToArray())
        {
            _removed.Remove(id);
            _madeAgain.Remove(id);
            ForgottenRemovals = Math.Max(ForgottenRemovals, position);
        }
    }

    /// <summary>
    /// Whether a batch was judged by definitions that no longer hold in a way that matters: it names a counter as known that was deleted since, whether or not it was made
    /// again, or adds sums or elements to one that is not of their kind. Such a batch counts nothing, in every replay; a duplicate stays one.
    /// </summary>
    private bool IsOutOfDate(in LoggedRecord record, in IncrementPayload payload, in ElementPayload elements)
    {
        bool hasElements = record.Kind == RecordKind.Elements;
        bool isCurrent = !IsRemoved(payload, hasElements ? elements.DistinctIds : [])
            && (!hasElements || Fits(elements))
            && AreSums(payload, hasElements ? elements.ItemCount : 0);
        if (isCurrent)
        {
            return false;
        }

        return record.Producer == UInt128.Zero || !Producers.IsCounted(record.Producer, record.Sequence);
    }

    private bool IsRemoved(in IncrementPayload payload, ReadOnlySpan<ulong> distinctIds)
    {
        long judgedAt = payload.DefinitionsAt;
        return judgedAt < _lastRemoval
            && (judgedAt < ForgottenRemovals || HasRemoved(payload.ExactIds, judgedAt) || HasRemoved(payload.ApproximateIds, judgedAt)
                || HasRemoved(distinctIds, judgedAt));
    }

    private bool HasRemoved(ReadOnlySpan<ulong> ids, long judgedAt)
    {
        foreach (ulong id in ids)
        {
            if ((_removed.TryGetValue(id, out long position) || _madeAgain.TryGetValue(id, out position)) && position > judgedAt)
            {
                return true;
            }
        }

        return false;
    }

    // A name was new or a sum's when the sender looked. Items bring a sum row each; beyond those no row may be of a counter that is not a sum.
    private bool AreSums(in IncrementPayload payload, int items) =>
        payload.DefinitionsAt >= _lastOfOtherKind || (Others(payload.ExactIds) + Others(payload.ApproximateIds)) == items;

    private int Others(ReadOnlySpan<ulong> ids)
    {
        int others = 0;
        foreach (ulong id in ids)
        {
            others += _counters.TryGetValue(id, out CounterState? counter) && counter.Kind != CounterKind.Sum ? 1 : 0;
        }

        return others;
    }

    private bool Fits(in ElementPayload elements) =>
        Are(CounterKind.Distinct, elements.DistinctIds) && Are(CounterKind.Top, elements.TopIds);

    private bool Are(CounterKind kind, ReadOnlySpan<ulong> ids)
    {
        foreach (ulong id in ids)
        {
            if (!_counters.TryGetValue(id, out CounterState? counter) || counter.Kind != kind)
            {
                return false;
            }
        }

        return true;
    }

    // A name that comes again makes the counter anew.
    private void Named(NamespaceState owner, in IncrementPayload payload)
    {
        if (_removed.Count == 0)
        {
            return;
        }

        foreach (ReadOnlySpan<byte> name in payload.Names)
        {
            MadeAgain(CounterId.Of(owner.IdPrefix, name));
        }
    }

    private void MadeAgain(ulong id)
    {
        if (_removed.Remove(id, out long position))
        {
            _madeAgain[id] = position;
        }
    }
}
