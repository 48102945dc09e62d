namespace Sketch.Engine.Log;

/// <summary>The segments in order and the positions that can be read: what the writer publishes and readers look up.</summary>
internal sealed class SegmentChain
{
    private readonly List<Segment> _segments;
    private long _first;
    private long _next;
    private long _bytes;

    internal SegmentChain(List<Segment> segments)
    {
        _segments = segments;
        _first = segments[0].Header.First;
        _next = segments[^1].Next;
        _bytes = segments.Sum(segment => segment.End);
    }

    /// <summary>Held while a group becomes readable and is handed to the follower, so that a follower misses none and sees none twice.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>The bytes of all segments.</summary>
    internal long Bytes => Volatile.Read(ref _bytes);

    internal LogRange Range => new(Volatile.Read(ref _first), Volatile.Read(ref _next));

    /// <summary>Makes what was written to the active segment readable; under the gate.</summary>
    internal void Publish(long position, long offset, int bytes, int count)
    {
        Segment active = _segments[^1];
        active.Index(position, offset);
        active.End = offset + bytes;
        active.Next = position + count;
        Volatile.Write(ref _bytes, _bytes + bytes);
        Volatile.Write(ref _next, active.Next);
    }

    internal void Add(Segment segment)
    {
        lock (Gate)
        {
            _segments.Add(segment);
            Volatile.Write(ref _bytes, _bytes + segment.End);
        }
    }

    /// <summary>The segment that holds a position, and where to start reading in it. It has a reader more until <see cref="Leave"/>.</summary>
    /// <exception cref="LogTruncatedException">The position was let go.</exception>
    internal (Segment Segment, long Position, long Offset) Enter(long position)
    {
        lock (Gate)
        {
            if (position < _first)
            {
                throw new LogTruncatedException($"Position {position} was truncated; the log begins at {_first}.");
            }

            int at = _segments.Count - 1;
            while (_segments[at].Header.First > position)
            {
                at--;
            }

            (long near, long offset) = _segments[at].Nearest(position);
            _segments[at].Readers++;
            return (_segments[at], near, offset);
        }
    }

    /// <summary>A reader is done with a segment.</summary>
    internal void Leave(Segment segment)
    {
        lock (Gate)
        {
            segment.Readers--;
        }
    }

    /// <summary>Where a segment ends now, in bytes and in positions.</summary>
    internal (long End, long Next) EndOf(Segment segment)
    {
        lock (Gate)
        {
            return (segment.End, segment.Next);
        }
    }

    internal void Index(Segment segment, long position, long offset)
    {
        lock (Gate)
        {
            segment.Index(position, offset);
        }
    }

    /// <summary>Takes the segments out that lie wholly before a position, oldest first; never the active one.</summary>
    internal List<Segment> CutBefore(long position)
    {
        lock (Gate)
        {
            int count = 0;
            while (count < _segments.Count - 1 && _segments[count + 1].Header.First <= position)
            {
                count++;
            }

            List<Segment> cut = _segments.GetRange(0, count);
            _segments.RemoveRange(0, count);
            Volatile.Write(ref _bytes, _bytes - cut.Sum(segment => segment.End));
            Volatile.Write(ref _first, _segments[0].Header.First);
            return cut;
        }
    }
}
