using Sketch.Engine.Catalogue;
using Sketch.Engine.Elements;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;

namespace Sketch.Engine.Fold;

/// <content>Deletions, resets, and batches that did not know of them.</content>
internal sealed partial class LogFold
{
    private const int MostRemembered = 1 << 17;

    private readonly Dictionary<ulong, long> _removed = [];
    private long _lastRemoval;

    /// <summary>Deleted counters that were not made again, with the position of the deletion.</summary>
    public IReadOnlyDictionary<ulong, long> Removed => _removed;

    /// <summary>Deletions up to this position may be forgotten; a batch judged before it is out of date, whatever it holds.</summary>
    public long ForgottenRemovals { get; private set; }

    /// <summary>Takes over what a snapshot holds.</summary>
    public void RestoreRemovals(IReadOnlyList<ulong> removed, long forgotten)
    {
        for (int i = 0; i < removed.Count; i += 2)
        {
            _removed[removed[i]] = (long)removed[i + 1];
            _lastRemoval = Math.Max(_lastRemoval, (long)removed[i + 1]);
        }

        ForgottenRemovals = forgotten;
        _lastRemoval = Math.Max(_lastRemoval, forgotten);
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
        if (_window.Increments > 0)
        {
            // What is removed is then all that earlier windows hold, and all of its own window comes after it.
            Close(record.Position - 1, sink);
        }

        Extend(record);
        _window = _window with { Definitions = _window.Definitions + 1 };
        foreach (string name in removal.Names)
        {
            ulong id = CounterId.Of(removal.Namespace, name);
            if (removal.Deleted)
            {
                if (_counters.Remove(id, out CounterState? state) && state.Tier != owner.Definition.Tier)
                {
                    LastTierChange = record.Position;
                }

                _removed[id] = record.Position;
                _lastRemoval = record.Position;
            }
            else if (_counters.TryGetValue(id, out CounterState? state))
            {
                state.BeginAgain(record.Position);
            }

            sink.Removed(owner, id, name, removal.Deleted);
        }

        ForgetRemovals();
    }

    // Oldest first, an eighth at a time, so that the sort is rare.
    private void ForgetRemovals()
    {
        if (_removed.Count < MostRemembered)
        {
            return;
        }

        foreach ((ulong id, long position) in _removed.OrderBy(r => r.Value).Take(MostRemembered / 8).ToArray())
        {
            _removed.Remove(id);
            ForgottenRemovals = Math.Max(ForgottenRemovals, position);
        }
    }

    /// <summary>
    /// Whether a batch was judged by definitions that no longer hold in a way that matters: it names a counter as known that was deleted since, or adds elements to one
    /// that is not of their kind. Such a batch counts nothing, in every replay; a duplicate stays one.
    /// </summary>
    private bool IsOutOfDate(in LoggedRecord record, in IncrementPayload payload, in ElementPayload elements)
    {
        if (!(IsRemoved(payload) || (record.Kind == RecordKind.Elements && !Fits(elements))))
        {
            return false;
        }

        return record.Producer == UInt128.Zero || !Producers.IsCounted(record.Producer, record.Sequence);
    }

    private bool IsRemoved(in IncrementPayload payload)
    {
        long judgedAt = payload.DefinitionsAt;
        return judgedAt < _lastRemoval
            && (judgedAt < ForgottenRemovals || HasRemoved(payload.ExactIds, judgedAt) || HasRemoved(payload.ApproximateIds, judgedAt));
    }

    private bool HasRemoved(ReadOnlySpan<ulong> ids, long judgedAt)
    {
        foreach (ulong id in ids)
        {
            if (_removed.TryGetValue(id, out long position) && position > judgedAt)
            {
                return true;
            }
        }

        return false;
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
            _removed.Remove(CounterId.Of(owner.IdPrefix, name));
        }
    }
}
