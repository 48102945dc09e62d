using System.Collections.Concurrent;

namespace Sketch.Engine.Reads;

/// <summary>
/// How fast watched counters move. Whoever reads a counter again and again watches it: each read leaves a mark of value and time, one a second and one
/// every five seconds, and the rate is the way from an older mark to now. Counting pays nothing for it. Bounded: counters that nobody reads are forgotten.
/// </summary>
internal sealed class RateBook
{
    /// <summary>The most counters remembered; beyond that the first read of another has no rate of its own yet.</summary>
    public const int MaxCounters = 16_384;

    private const long LatelyMs = 5_000;
    private const long FiveMinutesMs = 300_000;
    private const long ForgottenAfterMs = 600_000;

    private readonly ConcurrentDictionary<ulong, Track> _tracks = new();
    private long _sweptMs;
    private int _count;

    /// <summary>Marks a value that was just read, and gives the rates up to it.</summary>
    /// <param name="id">The counter.</param>
    /// <param name="nowMs">Now, in milliseconds.</param>
    /// <param name="value">Its value now.</param>
    /// <returns>A second, over the last five seconds and over the last five minutes, as far as it was watched; null at the first read.</returns>
    public (double? Lately, double? FiveMinutes) Mark(ulong id, long nowMs, long value)
    {
        if (!_tracks.TryGetValue(id, out Track? track))
        {
            Sweep(nowMs);
            if (Volatile.Read(ref _count) >= MaxCounters)
            {
                return default;
            }

            track = new Track();
            if (_tracks.TryAdd(id, track))
            {
                Interlocked.Increment(ref _count);
            }
        }

        return track.Mark(nowMs, value);
    }

    private void Sweep(long nowMs)
    {
        if (Volatile.Read(ref _count) < MaxCounters || nowMs - Volatile.Read(ref _sweptMs) < 10_000)
        {
            return;
        }

        Volatile.Write(ref _sweptMs, nowMs);
        foreach ((ulong id, Track track) in _tracks)
        {
            if (nowMs - track.LastMs > ForgottenAfterMs && _tracks.TryRemove(id, out _))
            {
                Interlocked.Decrement(ref _count);
            }
        }
    }

    private sealed class Track
    {
        private readonly Ring _lately = new(8, 1_000);
        private readonly Ring _long = new(64, 5_000);

        public long LastMs { get; private set; }

        public (double? Lately, double? FiveMinutes) Mark(long nowMs, long value)
        {
            lock (_lately)
            {
                LastMs = nowMs;
                (double? Lately, double? FiveMinutes) rates = (_lately.Rate(nowMs, value, LatelyMs), _long.Rate(nowMs, value, FiveMinutesMs));
                _lately.Add(nowMs, value);
                _long.Add(nowMs, value);
                return (rates.Lately, rates.FiveMinutes ?? rates.Lately);
            }
        }
    }

    private sealed class Ring(int capacity, long stepMs)
    {
        private readonly (long Ms, long Value)[] _marks = new (long, long)[capacity];
        private int _count;

        public void Add(long nowMs, long value)
        {
            if (_count == 0 || nowMs - _marks[(_count - 1) % capacity].Ms >= stepMs)
            {
                _marks[_count++ % capacity] = (nowMs, value);
            }
        }

        // From the oldest mark that is no older than the span; when all are, from the newest.
        public double? Rate(long nowMs, long value, long spanMs)
        {
            for (int at = Math.Max(0, _count - capacity); at < _count; at++)
            {
                (long ms, long before) = _marks[at % capacity];
                if (nowMs - ms <= spanMs || at == _count - 1)
                {
                    return nowMs - ms < stepMs / 2 ? null : (value - before) * 1_000.0 / (nowMs - ms);
                }
            }

            return null;
        }
    }
}
