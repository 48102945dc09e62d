using System.Diagnostics;

namespace Sketch.Engine.Work;

/// <summary>A thread of the operating system for each loop; it sleeps while its loop is idle.</summary>
public sealed class ThreadWorkers : IWorkers
{
    /// <summary>The one that is used when nothing else is chosen; it has no state.</summary>
    public static ThreadWorkers Instance { get; } = new();

    /// <inheritdoc/>
    public IWorker Start(string name, Func<WorkStep> step)
    {
        Worker worker = new(step);
        new Thread(worker.Run) { IsBackground = true, Name = name }.Start();
        return worker;
    }

    private sealed class Worker(Func<WorkStep> step) : IWorker
    {
        private readonly object _gate = new();
        private readonly Lock _stepping = new();
        private int _woken = 1;
        private int _sleepMs = Timeout.Infinite;
        private bool _ended;

        /// <inheritdoc/>
        public void Wake()
        {
            // A flag that is up already will be taken down before the next step looks at anything.
            if (Interlocked.Exchange(ref _woken, 1) == 0)
            {
                lock (_gate)
                {
                    Monitor.Pulse(_gate);
                }
            }
        }

        /// <inheritdoc/>
        public void WakeAfter(TimeSpan time) => _sleepMs = (int)Math.Ceiling(time.TotalMilliseconds);

        /// <summary>The loop, on its thread: takes steps, and sleeps while it is idle; returns when it is over.</summary>
        public void Run()
        {
            WorkStep last = WorkStep.Idle;
            while (last != WorkStep.Ended)
            {
                if (last == WorkStep.Idle)
                {
                    Sleep();
                }

                lock (_stepping)
                {
                    last = Step(step);
                }
            }
        }

        /// <inheritdoc/>
        public bool TryStep(Func<WorkStep> other)
        {
            if (_stepping.IsHeldByCurrentThread || !_stepping.TryEnter())
            {
                return false;
            }

            WorkStep did;
            try
            {
                if (_ended)
                {
                    return false;
                }

                did = Step(other);
            }
            finally
            {
                _stepping.Exit();
            }

            if (did != WorkStep.Idle)
            {
                Wake();
            }

            return true;
        }

        private WorkStep Step(Func<WorkStep> one)
        {
            WorkStep did = _ended ? WorkStep.Ended : one();
            _ended = did == WorkStep.Ended;
            return did;
        }

        private void Sleep()
        {
            lock (_gate)
            {
                long began = Stopwatch.GetTimestamp();
                int left = _sleepMs;
                while (Interlocked.Exchange(ref _woken, 0) == 0 && left != 0)
                {
                    Monitor.Wait(_gate, left);
                    left = _sleepMs == Timeout.Infinite ? _sleepMs : Math.Max(0, _sleepMs - (int)Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }

                _sleepMs = Timeout.Infinite;
            }
        }
    }
}
