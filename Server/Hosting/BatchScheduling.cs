using System.Runtime.InteropServices;

namespace Sketch.Server.Hosting;

/// <summary>
/// The system's policy for threads that work more than they wait (Linux, SCHED_BATCH): one that wakes does not interrupt another that runs. A node wakes threads ten thousand times a
/// second under load; each that takes a processor at once puts one aside which would have slept soon by itself, and whose memory was near.
/// </summary>
internal static partial class BatchScheduling
{
    private const int Other = 0;
    private const int Batch = 3;

    /// <summary>
    /// Asks for it for the calling thread, and so for all that it and they start from now on, processes too. Without effect where the system or its C library (musl) has no such policy, or whoever
    /// started the process chose another one than usual.
    /// </summary>
    public static void Use()
    {
        if (OperatingSystem.IsLinux() && GetPolicy(0) == Other)
            _ = SetPolicy(0, Batch, priority: 0);
    }

    [LibraryImport("libc", EntryPoint = "sched_getscheduler")]
    private static partial int GetPolicy(int thread);

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetPolicy(int thread, int policy, in int priority);
}
