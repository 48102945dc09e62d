using Sketch.Engine.Work;

namespace Sketch.Tests.Simulation.World;

/// <summary>Loops without threads: the seed decides whose step is next.</summary>
internal sealed class SteppedWorkers : IWorkers
{
    private readonly List<Loop> _loops = [];

    public bool IsIdle => !_loops.Exists(loop => loop.Runnable);

    public IWorker Start(string name, Func<WorkStep> step)
    {
        Loop loop = new(name, step);
        _loops.Add(loop);
        return loop;
    }

    /// <summary>Takes one step of one loop that may have work; its name, or null when all sleep.</summary>
    public string? StepOne(Random random)
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

    private sealed class Loop(string name, Func<WorkStep> step) : IWorker
    {
        public string Name => name;

        public bool Runnable { get; private set; } = true;

        public void Wake() => Runnable = true;

        public WorkStep Step()
        {
            Runnable = false;
            WorkStep did = step();
            Runnable |= did == WorkStep.More;
            return did;
        }
    }
}
