namespace Sketch.Tests.Sketches;

/// <summary>Counts what work allocates on this thread.</summary>
public static class Allocations
{
    /// <summary>
    /// The least of five runs after a warm-up: work that allocates does so every time, the runtime's own first-time allocations
    /// (compiling a hot loop anew, for instance) come once.
    /// </summary>
    public static long Least(Action work)
    {
        work();
        long least = long.MaxValue;
        for (int run = 0; run < 5; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
