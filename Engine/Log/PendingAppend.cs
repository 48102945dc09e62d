using System.Threading.Tasks.Sources;

namespace Sketch.Engine.Log;

/// <summary>
/// An append that waits. Reused, also as the work item that wakes its caller on the thread pool: an append allocates nothing, and what
/// the caller does next never runs on the writer's thread. A caller that writes by itself finds its answer when the call returns.
/// </summary>
internal sealed class PendingAppend(AppendQueue owner) : IValueTaskSource<Appended>, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<Appended> _core;
    private Appended _answer;
    private int _caller;

    /// <summary>The next in whatever list it is in.</summary>
    internal PendingAppend? Next { get; set; }

    internal LogRecord Record { get; private set; }

    internal Durability Durability { get; private set; }

    /// <summary>Its bytes in the log.</summary>
    internal int Size { get; private set; }

    /// <summary>Its place, once it has one.</summary>
    internal long Position { get; set; }

    /// <summary>Whether this runs within the call that appends it, whose caller can't await the answer yet. Others may look at any moment: it is never so on their threads.</summary>
    internal bool IsInCall => Volatile.Read(ref _caller) == Environment.CurrentManagedThreadId;

    /// <summary>The thread that appends it is going to take the writer's step.</summary>
    internal void EnterCall() => Volatile.Write(ref _caller, Environment.CurrentManagedThreadId);

    /// <summary>That thread has done so.</summary>
    internal void LeaveCall() => Volatile.Write(ref _caller, 0);

    internal ValueTask<Appended> Start(in LogRecord record, Durability durability)
    {
        Record = record;
        Durability = durability;
        Size = RecordFrame.Size(record.Payload.Length);
        return new ValueTask<Appended>(this, _core.Version);
    }

    /// <summary>Answers the caller and those of the appends behind it, each once, one after the other on the thread pool; a single one within its call right there.</summary>
    internal void CompleteAll(AppendStatus status)
    {
        for (PendingAppend? append = this; append is not null; append = append.Next)
        {
            append._answer = new Appended(status, status == AppendStatus.Appended ? append.Position : 0);
            append.Record = default;
        }

        if (IsInCall && Next is null)
        {
            Answer();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute() => Answer();

    private void Answer()
    {
        PendingAppend? append = this;
        while (append is not null)
        {
            // Whoever is answered may use it again.
            PendingAppend? next = append.Next;
            append.Next = null;
            append._core.SetResult(append._answer);
            append = next;
        }
    }

    Appended IValueTaskSource<Appended>.GetResult(short token)
    {
        Appended answer = _core.GetResult(token);
        _core.Reset();
        owner.Reuse(this);
        return answer;
    }

    ValueTaskSourceStatus IValueTaskSource<Appended>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<Appended>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
