using System.Runtime.InteropServices;

namespace Sketch.Bench.Sketches.Peers;

/// <summary>Processor time of the calling thread: other processes on the machine do not count. Both sides of a comparison use it.</summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID of Linux

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    public static double Nanoseconds
    {
        get
        {
            _ = ClockGetTime(ThreadCpuTime, out TimeSpec time);
            return time.Seconds * 1e9 + time.Nanoseconds;
        }
    }

    public static double Of(Action pass)
    {
        double before = Nanoseconds;
        pass();
        return Nanoseconds - before;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);
}
