namespace Sketch.Tests.Simulation.World;

/// <summary>
/// The thread pool as part of the simulation: the process has one pool thread, on which the history itself runs, so that continuations take turns with
/// it in the order in which they became ready.
/// </summary>
internal static class Pool
{
    public static bool HasOneThread
    {
        get
        {
            ThreadPool.GetMaxThreads(out int workers, out _);
            return workers == 1;
        }
    }

    /// <summary>Lets everything run that is ready now; what that makes ready only when it comes first.</summary>
    public static async Task Turn() => await Task.Yield();

    /// <summary>Lets everything run until nothing is ready.</summary>
    public static async Task Settle()
    {
        do
        {
            await Task.Yield();
        }
        while (ThreadPool.PendingWorkItemCount > 0);
    }
}
