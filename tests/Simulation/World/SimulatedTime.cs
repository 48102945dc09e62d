namespace Sketch.Tests.Simulation.World;

/// <summary>The time of a whole history: it moves only when the history says so, and then fires what is due, in order.</summary>
internal sealed class SimulatedTime
{
    private readonly PriorityQueue<(Timer Timer, int Version), (long Due, long Number)> _due = new();
    private long _numbers;

    /// <summary>Ticks of 100 ns since the history began.</summary>
    public long Now { get; private set; }

    public void Advance(TimeSpan by)
    {
        long until = Now + by.Ticks;
        while (_due.TryPeek(out (Timer Timer, int Version) next, out (long Due, long Number) at) && at.Due <= until)
        {
            _due.Dequeue();
            Now = at.Due;
            next.Timer.Fire(next.Version);
        }

        Now = until;
    }

    /// <summary>A clock on this time: each process has its own, which stops with it and may be wrong.</summary>
    internal sealed class Clock(SimulatedTime time) : TimeProvider
    {
        private static readonly DateTimeOffset Epoch = new(2026, 11, 24, 10, 58, 0, TimeSpan.Zero);

        /// <summary>How wrong the wall clock is.</summary>
        public TimeSpan Skew { get; set; }

        /// <summary>No timer of it fires any more.</summary>
        public bool Stopped { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Epoch + TimeSpan.FromTicks(time.Now) + Skew;

        public override long GetTimestamp() => time.Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Timer timer = new(time, this, callback, state);
            timer.Change(dueTime, period);
            return timer;
        }
    }

    private sealed class Timer(SimulatedTime time, Clock clock, TimerCallback callback, object? state) : ITimer
    {
        private int _version;
        private TimeSpan _period;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _version++;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                Schedule(dueTime);
            }

            return true;
        }

        public void Fire(int version)
        {
            if (version != _version || clock.Stopped)
            {
                return;
            }

            if (_period > TimeSpan.Zero)
            {
                Schedule(_period);
            }

            callback(state);
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Schedule(TimeSpan dueTime) => time._due.Enqueue((this, _version), (time.Now + dueTime.Ticks, time._numbers++));
    }
}
