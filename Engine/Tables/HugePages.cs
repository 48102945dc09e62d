using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sketch.Engine.Tables;

/// <summary>
/// Asks the system for pages of 2 MiB under large arrays that are read at random: with pages of 4 KiB nearly every look at such an array also misses the
/// processor's table of pages, which costs as much again. Only advice: where there is none to be had, nothing changes.
/// </summary>
internal static unsafe partial class HugePages
{
    private const nint PageBytes = 4 << 10;
    private const nint LeastBytes = 4 << 20;
    private const int WantHugePages = 14;

    /// <summary>Advises for an array that is pinned and not written yet.</summary>
    public static void Advise<T>(T[] pinned)
        where T : struct
    {
        nint bytes = (nint)pinned.LongLength * Unsafe.SizeOf<T>();
        if (bytes < LeastBytes || !OperatingSystem.IsLinux())
        {
            return;
        }

        nint start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
        nint first = (start + PageBytes - 1) & ~(PageBytes - 1);
        _ = Advise(first, (start + bytes - first) & ~(PageBytes - 1), WantHugePages);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nint bytes, int advice);
}
