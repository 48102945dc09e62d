using System.Diagnostics;
using Sketch.Engine.Work;

namespace Sketch.Tests.Engine.Log;

/// <summary>Loops that go on only when a test says so, or where a step of theirs is asked for.</summary>
internal sealed class ManualWorkers : IWorkers
{
    private readonly Dictionary<string, Worker> _workers = [];

    public IWorker Start(string name, Func<WorkStep> step) => _workers[name] = new Worker(step);

    /// <summary>After what time a loop wants another step, if nothing wakes it; null when it sleeps.</summary>
    public TimeSpan? WakesAfter(string name) => _workers[name].After;

    /// <summary>Takes steps of a loop while it is awake.</summary>
    public void Run(string name) => _workers[name].Run();

    /// <summary>The time for which a loop wanted to sleep is over.</summary>
    public void WakeUp(string name)
    {
        _workers[name].Wake();
        Run(name);
    }

    /// <summary>Lets all loops run until something has happened.</summary>
    public async Task RunUntil(Task task)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!task.IsCompleted)
        {
            Assert.True(watch.Elapsed < LogTesting.Deadline, "What the loops were run for did not come about.");
            foreach (Worker worker in _workers.Values)
            {
                worker.Run();
            }

            await Task.Yield();
        }

        await task;
    }

    private sealed class Worker(Func<WorkStep> step) : IWorker
    {
        private int _awake = 1;
        private bool _stepping;
        private bool _ended;

        public TimeSpan? After { get; private set; }

        public void Wake() => Volatile.Write(ref _awake, 1);

        public void WakeAfter(TimeSpan time) => After = time;

        public bool TryStep(Func<WorkStep> other)
        {
            if (_stepping || _ended)
            {
                return false;
            }

            Take(other);
            return true;
        }

        public void Run()
        {
            while (!_ended && Interlocked.Exchange(ref _awake, 0) != 0)
            {
                Take(step);
            }
        }

        private void Take(Func<WorkStep> one)
        {
            After = null;
            _stepping = true;
            WorkStep did = one();
            _stepping = false;
            _ended = did == WorkStep.Ended;
            if (did == WorkStep.More)
            {
                Wake();
            }
        }
    }
}
