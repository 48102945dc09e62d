namespace Sketch.Engine.Work;

/// <summary>What a step of a loop came to.</summary>
public enum WorkStep
{
    /// <summary>Something was done, and there may be more.</summary>
    More,

    /// <summary>There is nothing to do until the worker is woken.</summary>
    Idle,

    /// <summary>The loop is over; its step is not called again.</summary>
    Ended,
}

/// <summary>
/// Where loops run that want a thread of their own. A seam: a loop is written as steps that never wait, so that a simulation can take the steps of all
/// loops one at a time, in one thread, in an order that a seed decides.
/// </summary>
public interface IWorkers
{
    /// <summary>Starts a loop. Its first step is taken without a wake.</summary>
    /// <param name="name">For debuggers and traces.</param>
    /// <param name="step">Called by one thread at a time; must not throw.</param>
    IWorker Start(string name, Func<WorkStep> step);
}

/// <summary>A loop that runs.</summary>
public interface IWorker
{
    /// <summary>There may be work: a step is taken after this call, or is under way and will be followed by another. Never waits.</summary>
    void Wake();

    /// <summary>Called by a step of the loop's own (none of <see cref="TryStep"/>) that will say that it is idle: the next one is taken after this time, unless the loop is woken earlier.</summary>
    /// <param name="time">More than nothing.</param>
    void WakeAfter(TimeSpan time);

    /// <summary>Takes a step on the caller's thread: a hand-over to another thread takes longer than a small step. If there is more to do, it is the loop's.</summary>
    /// <param name="step">In place of the loop's own.</param>
    /// <returns>False when another step is under way, or the loop is over, and nothing was done.</returns>
    bool TryStep(Func<WorkStep> step);
}
