namespace Sketch.Engine.Log;

/// <summary>What waits for the writer: bounded in records and bytes, and never makes an appender wait.</summary>
internal sealed class AppendQueue(int maxRecords, long maxBytes, long maxLogBytes, SegmentChain chain)
{
    private const int MaxFree = 4_096;
    private readonly Lock _gate = new();
    private AppendList _waiting;
    private PendingAppend? _free;
    private int _freeCount;
    private int _records;
    private long _bytes;
    private bool _closed;

    /// <summary>Called with the first record that came into the empty queue, by who appends it, and with null when the queue closes; never under the queue's lock.</summary>
    internal Action<PendingAppend?>? Filled { get; set; }

    internal ValueTask<Appended> Add(in LogRecord record, Durability durability)
    {
        int size = RecordFrame.Size(record.Payload.Length);
        ValueTask<Appended> answer;
        PendingAppend append;
        bool first;
        lock (_gate)
        {
            if (_closed)
            {
                return new(new Appended(AppendStatus.Unknown, 0));
            }

            if (_records >= maxRecords || (_records > 0 && _bytes + size > maxBytes))
            {
                return new(new Appended(AppendStatus.Busy, 0));
            }

            if (record.Kind != RecordKind.Marker && chain.Bytes + _bytes + size > maxLogBytes)
            {
                return new(new Appended(AppendStatus.Full, 0));
            }

            append = _free ?? new PendingAppend(this);
            if (_free is not null)
            {
                _free = append.Next;
                append.Next = null;
                _freeCount--;
            }

            answer = append.Start(record, durability);
            first = _waiting.IsEmpty;
            _waiting.Add(append);
            _records++;
            _bytes += size;
        }

        if (first)
        {
            Filled?.Invoke(append);
        }

        return answer;
    }

    /// <summary>Takes all that waits. Taken appends count as queued until released.</summary>
    /// <param name="closed">True when nothing comes any more.</param>
    internal AppendList Take(out bool closed)
    {
        lock (_gate)
        {
            AppendList taken = _waiting;
            _waiting = default;
            closed = _closed;
            return taken;
        }
    }

    /// <summary>Gives the room of taken appends to others.</summary>
    internal void Release(int records, long bytes)
    {
        lock (_gate)
        {
            _records -= records;
            _bytes -= bytes;
        }
    }

    /// <summary>Refuses further appends; the writer still gets those that wait.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
        }

        Filled?.Invoke(null);
    }

    internal void Reuse(PendingAppend append)
    {
        lock (_gate)
        {
            if (_freeCount < MaxFree)
            {
                append.Next = _free;
                _free = append;
                _freeCount++;
            }
        }
    }
}

/// <summary>Appends in order, linked through themselves.</summary>
internal struct AppendList
{
    private const int Together = 16;
    private PendingAppend? _last;

    internal readonly bool IsEmpty => First is null;

    internal PendingAppend? First { get; private set; }

    internal void Add(PendingAppend append)
    {
        if (_last is null)
        {
            First = append;
        }
        else
        {
            _last.Next = append;
        }

        _last = append;
    }

    internal void Add(AppendList others)
    {
        if (others.First is null)
        {
            return;
        }

        if (_last is null)
        {
            First = others.First;
        }
        else
        {
            _last.Next = others.First;
        }

        _last = others._last;
    }

    /// <summary>Answers all of them, some at a time on one thread of the pool (one within its call at once): a hand-over for each costs more than what most callers do next.</summary>
    internal void Complete(AppendStatus status)
    {
        while (First is not null)
        {
            PendingAppend head = First;
            PendingAppend last = head;
            for (int i = 1; i < Together && last.Next is not null; i++)
            {
                last = last.Next;
            }

            First = last.Next;
            last.Next = null;
            head.CompleteAll(status);
        }

        _last = null;
    }

    /// <summary>Takes the first one out.</summary>
    internal PendingAppend Remove()
    {
        PendingAppend append = First!;
        First = append.Next;
        append.Next = null;
        _last = First is null ? null : _last;
        return append;
    }
}
