using Sketch.Engine.Work;

namespace Sketch.Tests.Simulation.World;

/// <summary>Loops without threads: the seed decides whose step is next, and whether a step is taken where it is offered.</summary>
internal sealed class SteppedWorkers(Random random, TimeProvider time) : IWorkers
{
    private readonly List<Loop> _loops = [];

    public bool IsIdle => !_loops.Exists(loop => loop.Runnable);

    public IWorker Start(string name, Func<WorkStep> step)
    {
        Loop loop = new(name, step, random, time);
        _loops.Add(loop);
        return loop;
    }

    /// <summary>Takes one step of one loop that may have work; its name, or null when all sleep.</summary>
    public string? StepOne()
    {
        int runnable = _loops.Count(loop => loop.Runnable);
        if (runnable == 0)
        {
            return null;
        }

        int chosen = random.Next(runnable);
        Loop loop = _loops.Where(candidate => candidate.Runnable).ElementAt(chosen);
        if (loop.Step() == WorkStep.Ended)
        {
            _loops.Remove(loop);
        }

        return loop.Name;
    }

    private sealed class Loop(string name, Func<WorkStep> step, Random random, TimeProvider time) : IWorker
    {
        private ITimer? _timer;
        private bool _stepping;
        private bool _ended;

        public string Name => name;

        public bool Runnable { get; private set; } = true;

        public void Wake() => Runnable = true;

        public void WakeAfter(TimeSpan after)
        {
            _timer ??= time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(after, Timeout.InfiniteTimeSpan);
        }

        public WorkStep Step()
        {
            Runnable = false;
            return Take(step);
        }

        public bool TryStep(Func<WorkStep> other)
        {
            if (_stepping || _ended || random.Next(2) == 0)
            {
                return false;
            }

            Take(other);
            return true;
        }

        private WorkStep Take(Func<WorkStep> one)
        {
            _stepping = true;
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            WorkStep did = _ended ? WorkStep.Ended : one();
            _stepping = false;
            _ended = did == WorkStep.Ended;
            Runnable |= did != WorkStep.Idle;
            return did;
        }
    }
}
