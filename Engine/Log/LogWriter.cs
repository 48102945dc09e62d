using Sketch.Engine.Work;

namespace Sketch.Engine.Log;

/// <summary>
/// The one worker that writes: takes what waits, gives positions, writes it as one group, hands the group to the follower and to the
/// <see cref="LogSyncer"/>, and answers those that asked for no sync.
/// </summary>
internal sealed class LogWriter
{
    private const int PageBytes = 4096;
    private const int MaxGroupBytes = BufferPool.LargestBytes - FrameRun.EndMarkBytes - PageBytes;

    private readonly SegmentFiles _files;
    private readonly SegmentChain _chain;
    private readonly AppendQueue _queue;
    private readonly HandOver _handOver;
    private readonly BufferPool _buffers;
    private readonly TimeProvider _time;
    private readonly LogSyncer _syncer;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IWorker _worker;
    private readonly Func<WorkStep> _stepLent;

    private ILogFile _file;
    private Segment _segment;
    private long _end;
    private long _reserved;
    private long _leftOver;
    private long _next;
    private long _timeMs;
    private AppendList _taken;
    private AppendList _group;
    private Exception? _failure;
    private bool _ending;
    private bool _isLent;

    internal LogWriter(
        SegmentFiles files, SegmentChain chain, LogTail tail, AppendQueue queue, HandOver handOver, BufferPool buffers, TimeProvider time, IWorkers workers)
    {
        _files = files;
        _chain = chain;
        _queue = queue;
        _handOver = handOver;
        _buffers = buffers;
        _time = time;
        _file = tail.File;
        _segment = tail.Segment;
        _end = tail.Segment.End;
        _reserved = tail.Reserved;
        _leftOver = tail.LeftOver;
        _next = tail.Segment.Next;
        _timeMs = tail.TimeMs;
        _syncer = new LogSyncer(_file, _next, time, workers, Wake);
        _stepLent = StepLent;
        _handOver.Drained = Wake;
        _queue.Filled = Filled;
        _worker = workers.Start("log writer", Step);
    }

    /// <summary>Completes with the failure that ended the log; never when it was closed.</summary>
    internal Task Failed => _failed.Task;

    /// <summary>Completes when nothing is written any more and the file is closed.</summary>
    internal Task Stopped => _stopped.Task;

    /// <inheritdoc cref="LogSyncer.WhenSyncedAsync"/>
    internal ValueTask<long> WhenSyncedAsync(long position, CancellationToken cancellationToken) =>
        _syncer.WhenSyncedAsync(position, cancellationToken);

    private void Wake() => _worker.Wake();

    /// <summary>
    /// Writes a small batch at once where its caller is, and has the follower take it in there: at rest, three hand-overs from thread to thread would take longer than all else.
    /// Not so what is no batch: who appends that may hold what the follower needs.
    /// </summary>
    private void Filled(PendingAppend? first)
    {
        if (first is not { Size: <= HandOver.MaxBytesHere, Record.Kind: RecordKind.Increments or RecordKind.Elements })
        {
            Wake();
            return;
        }

        first.EnterCall();
        bool isTaken = _worker.TryStep(_stepLent);
        first.LeaveCall();
        if (isTaken)
        {
            _handOver.WakeFollower(here: true);
        }
        else
        {
            Wake();
        }
    }

    /// <summary>Writes what waits, as one group; in the end, when the queue is closed and empty or the disk failed, what is left to say to the waiting.</summary>
    private WorkStep Step()
    {
        if (!_ending)
        {
            try
            {
                WorkStep step = WriteNext();
                if (step != WorkStep.Ended)
                {
                    return step;
                }
            }
#pragma warning disable CA1031 // Whatever went wrong, the callers that wait must hear of it, and nothing may be appended after it.
            catch (Exception error)
#pragma warning restore CA1031
            {
                _failure = error;
            }

            _ending = true;
            _queue.Close();
            _handOver.StopWaiting();
            _syncer.Stop();
        }

        if (!_syncer.HasEnded(out AppendList waiting))
        {
            return WorkStep.Idle;
        }

        if (_isLent)
        {
            Wake();
            return WorkStep.Idle;
        }

        return End(waiting);
    }

    private WorkStep StepLent()
    {
        _isLent = true;
        WorkStep did = Step();
        _isLent = false;
        return did;
    }

    private WorkStep WriteNext()
    {
        // A failed sync ends the log also while the follower holds the writer up.
        if (!_handOver.HasRoom() && _syncer.Failure is null)
        {
            return WorkStep.Idle;
        }

        _taken.Add(_queue.Take(out bool closed));
        if (!_syncer.IsYoung())
        {
            return WorkStep.Idle;
        }

        if (!_taken.IsEmpty)
        {
            // What comes into the queue from now on wakes.
            return WriteGroup() && (closed || !_taken.IsEmpty) ? WorkStep.More : WorkStep.Idle;
        }

        return closed && _syncer.IsSynced() ? WorkStep.Ended : WorkStep.Idle;
    }

    /// <summary>False when a sync must end first.</summary>
    private bool WriteGroup()
    {
        (int count, int bytes) = Measure();

        // Room takes the file system a while, and a segment several syncs: no caller sees to them on its thread.
        if (_isLent && (count == 0 || _end + bytes > _reserved))
        {
            Wake();
            return false;
        }

        // The next segment begins only once the one before is durable to its end: a torn end is looked for in the last one alone.
        if (count == 0 && !_syncer.IsSynced())
        {
            return false;
        }

        try
        {
            if (count == 0)
            {
                StartSegment(_taken.First!.Size);
                (count, bytes) = Measure();
            }

            if (_end + bytes > _reserved)
            {
                _reserved = _files.Reserve(_file, _end, bytes);
            }
        }
        catch (LogDiskException full) when (full.Fault == DiskFault.NoSpace)
        {
            Refuse(AppendStatus.NoSpace);
            return true;
        }

        // Behind the last record zeros, so that a start can tell the end from damage: to a page's end, which the system would else read before it is written in part.
        long marked = (_end + bytes + FrameRun.EndMarkBytes + PageBytes - 1) / PageBytes * PageBytes;
        int mark = (int)Math.Max(Math.Min(_leftOver, marked) - (_end + bytes), 0);
        byte[] buffer = _buffers.Rent(bytes + mark);
        Encode(buffer, count);
        buffer.AsSpan(bytes, mark).Clear();
        _queue.Release(count, bytes);
        if (!TryWrite(buffer.AsSpan(0, bytes + mark)))
        {
            _buffers.Returned(buffer);
            RefuseGroup();
            return true;
        }

        Publish(buffer, bytes, count);
        if (count > 1 || !_group.First!.IsInCall)
        {
            _handOver.WakeFollower(here: false);
        }

        _syncer.Add(_next, TakeFlushed());
        _group.Complete(AppendStatus.Appended);

        return true;
    }

    /// <summary>How much of what was taken makes the next group: no more than a buffer, and within the segment.</summary>
    private (int Count, int Bytes) Measure()
    {
        long room = _end == SegmentHeader.Bytes ? MaxGroupBytes : Math.Min(MaxGroupBytes, _files.SegmentBytes - _end);
        int count = 0;
        int bytes = 0;
        for (PendingAppend? append = _taken.First; append is not null && bytes + append.Size <= room; append = append.Next)
        {
            bytes += append.Size;
            count++;
            room = Math.Max(Math.Min(room, _files.SegmentBytes - _end), bytes);
        }

        return (count, bytes);
    }

    private void Encode(byte[] buffer, int count)
    {
        _timeMs = Math.Max(_timeMs, _time.GetUtcNow().ToUnixTimeMilliseconds());
        long synced = _syncer.Synced;
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            PendingAppend append = _taken.Remove();
            append.Position = _next + i;
            uint unsynced = (uint)Math.Min(append.Position - synced, uint.MaxValue);
            at += RecordFrame.Encode(buffer.AsSpan(at), append.Record, append.Position, _timeMs, unsynced);
            _group.Add(append);
        }
    }

    /// <summary>False when the disk is full, and the file is as it was.</summary>
    private bool TryWrite(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _file.Write(bytes, _end);
            return true;
        }
        catch (LogDiskException full) when (full.Fault == DiskFault.NoSpace)
        {
            _file.SetLength(_end);
            _reserved = _end;
            _leftOver = 0;
            return false;
        }
    }

    private void Publish(byte[] buffer, int bytes, int count)
    {
        bool handed;
        lock (_chain.Gate)
        {
            _chain.Publish(_next, _end, bytes, count);
            handed = _handOver.TryOffer(buffer, bytes, _next, count, _buffers.Returned);
        }

        if (!handed)
        {
            _buffers.Returned(buffer);
        }

        _end += bytes;
        _next += count;
    }

    /// <summary>Takes those out of the group that wait for a sync.</summary>
    private AppendList TakeFlushed()
    {
        AppendList all = _group;
        AppendList flushed = default;
        _group = default;
        while (!all.IsEmpty)
        {
            PendingAppend append = all.Remove();
            if (append.Durability == Durability.Flushed)
            {
                flushed.Add(append);
            }
            else
            {
                _group.Add(append);
            }
        }

        return flushed;
    }

    private void StartSegment(int needed)
    {
        SegmentHeader header = _segment.Header with { First = _next, PreviousFirst = _segment.Header.First, TimeFloorMs = _timeMs };
        if (_leftOver > _end)
        {
            // A segment that is not the last ends with its last record.
            _file.SetLength(_end);
            _file.Sync();
            _leftOver = 0;
        }

        (Segment segment, ILogFile file, long reserved, long leftOver) = _files.Create(header, [], needed);
        _file.Dispose();
        _file = file;
        _segment = segment;
        _end = segment.End;
        _reserved = reserved;
        _leftOver = leftOver;
        _syncer.Use(file);
        _chain.Add(segment);
    }

    /// <summary>Nothing was written for all that wait.</summary>
    private void Refuse(AppendStatus status)
    {
        int count = 0;
        long bytes = 0;
        for (PendingAppend? append = _taken.First; append is not null; append = append.Next)
        {
            bytes += append.Size;
            count++;
        }

        _taken.Complete(status);
        _queue.Release(count, bytes);
    }

    private void RefuseGroup()
    {
        _group.Complete(AppendStatus.NoSpace);

        Refuse(AppendStatus.NoSpace);
    }

    private WorkStep End(AppendList waiting)
    {
        if (_failure is not null)
        {
            _failed.SetException(_failure);
            _ = _failed.Task.Exception;
            waiting.Add(_group);
            waiting.Complete(AppendStatus.Unknown);

            _taken.Add(_queue.Take(out _));
            Refuse(AppendStatus.Unknown);
        }

        _handOver.End(_failure);
        _file.Dispose();
        _stopped.SetResult();
        return WorkStep.Ended;
    }
}
