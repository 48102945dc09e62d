using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using Sketch.Engine.Fold;

namespace Sketch.Engine.Appends;

/// <summary>
/// Callers whose record is on its way through the log; the fold answers them when it has taken the record in, so that the next read sees it. A place is a slot and the
/// number of its use; both make the record's id, so that an answer to an earlier use finds nobody. No lock and no allocation once there are as many places as callers at once.
/// </summary>
internal sealed class PendingAppends
{
    private const int SlotBits = 20;
    private readonly ConcurrentQueue<PendingAppend> _free = new();
    private readonly Lock _growing = new();
    private PendingAppend?[] _places = new PendingAppend?[64];
    private int _made;
    private bool _stopped;

    /// <summary>A place to wait for one record.</summary>
    public PendingAppend Begin()
    {
        PendingAppend pending = _free.TryDequeue(out PendingAppend? kept) ? kept : Grow();
        pending.Use();
        if (Volatile.Read(ref _stopped) && pending.TryEnd(pending.Id))
        {
            pending.Set(null);
        }

        return pending;
    }

    /// <summary>The fold took the record in.</summary>
    public void Complete(long id, FoldOutcome outcome)
    {
        PendingAppend?[] places = Volatile.Read(ref _places);
        int slot = (int)(id & ((1 << SlotBits) - 1));
        if (slot < places.Length && places[slot] is { } pending && pending.TryEnd(id))
        {
            pending.Set(outcome);
        }
    }

    /// <summary>The record was not written: nobody will answer.</summary>
    public void Forget(PendingAppend pending)
    {
        if (pending.TryEnd(pending.Id))
        {
            _free.Enqueue(pending);
        }
    }

    /// <summary>No record will come through any more: everybody learns that the outcome is unknown.</summary>
    public void Stop()
    {
        Volatile.Write(ref _stopped, true);
        Interlocked.MemoryBarrier();
        foreach (PendingAppend? pending in Volatile.Read(ref _places))
        {
            if (pending is not null && pending.TryEnd(pending.Id))
            {
                pending.Set(null);
            }
        }
    }

    private PendingAppend Grow()
    {
        lock (_growing)
        {
            // The log's queue refuses long before so many wait.
            if (_made == 1 << SlotBits)
            {
                throw new InvalidOperationException($"{_made} records are on their way to the log at once.");
            }

            PendingAppend?[] places = _places;
            if (_made == places.Length)
            {
                Array.Resize(ref places, _made * 2);
            }

            PendingAppend added = places[_made] = new PendingAppend(this, _made);
            _made++;
            Volatile.Write(ref _places, places);
            return added;
        }
    }

    internal sealed class PendingAppend(PendingAppends owner, int slot) : IValueTaskSource<FoldOutcome?>
    {
        // Continuations never run on the fold.
        private ManualResetValueTaskSourceCore<FoldOutcome?> _core = new() { RunContinuationsAsynchronously = true };
        private long _uses;
        private long _id;

        /// <summary>The record's id while it is on its way, else zero.</summary>
        public long Id => Volatile.Read(ref _id);

        /// <summary>How the fold took the record; null when that can't be known. To be awaited once.</summary>
        public ValueTask<FoldOutcome?> Outcome => new(this, _core.Version);

        // A full fence: whoever stops meanwhile either sees the id or is seen to have stopped.
        public void Use() => Interlocked.Exchange(ref _id, (++_uses << SlotBits) | (long)(uint)slot);

        /// <summary>True for the one who may answer this use.</summary>
        public bool TryEnd(long id) => id != 0 && Interlocked.CompareExchange(ref _id, 0, id) == id;

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
