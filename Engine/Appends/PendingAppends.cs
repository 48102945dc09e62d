using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using Sketch.Engine.Fold;

namespace Sketch.Engine.Appends;

/// <summary>Callers whose record is on its way through the log; the fold answers them when it has taken the record in, so that the next read sees it.</summary>
internal sealed class PendingAppends
{
    private readonly ConcurrentDictionary<long, PendingAppend> _waiting = new();
    private readonly ConcurrentQueue<PendingAppend> _free = new();
    private long _lastId;
    private bool _stopped;

    /// <summary>A place to wait for one record.</summary>
    public PendingAppend Begin()
    {
        PendingAppend pending = _free.TryDequeue(out PendingAppend? kept) ? kept : new PendingAppend(this);
        pending.Id = Interlocked.Increment(ref _lastId);
        _waiting[pending.Id] = pending;
        if (Volatile.Read(ref _stopped) && _waiting.TryRemove(pending.Id, out _))
        {
            pending.Set(null);
        }

        return pending;
    }

    /// <summary>The fold took the record in.</summary>
    public void Complete(long id, FoldOutcome outcome)
    {
        if (id != 0 && _waiting.TryRemove(id, out PendingAppend? pending))
        {
            pending.Set(outcome);
        }
    }

    /// <summary>The record was not written: nobody will answer.</summary>
    public void Forget(PendingAppend pending)
    {
        if (_waiting.TryRemove(pending.Id, out _))
        {
            _free.Enqueue(pending);
        }
    }

    /// <summary>No record will come through any more: everybody learns that the outcome is unknown.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopped, true);
        foreach (long id in _waiting.Keys)
        {
            if (_waiting.TryRemove(id, out PendingAppend? pending))
            {
                pending.Set(null);
            }
        }
    }

    internal sealed class PendingAppend(PendingAppends owner) : IValueTaskSource<FoldOutcome?>
    {
        // Continuations never run on the fold.
        private ManualResetValueTaskSourceCore<FoldOutcome?> _core = new() { RunContinuationsAsynchronously = true };

        public long Id { get; set; }

        /// <summary>How the fold took the record; null when that can't be known. To be awaited once.</summary>
        public ValueTask<FoldOutcome?> Outcome => new(this, _core.Version);

        public void Set(FoldOutcome? outcome) => _core.SetResult(outcome);

        public FoldOutcome? GetResult(short token)
        {
            FoldOutcome? outcome = _core.GetResult(token);
            _core.Reset();
            owner._free.Enqueue(this);
            return outcome;
        }

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
