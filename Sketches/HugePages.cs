using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sketch.Sketches;

/// <summary>
/// Asks the system for pages of 2 MiB under large arrays that are read at random: with pages of 4 KiB nearly every look at such an array also misses the
/// processor's table of pages, which costs as much again. Only advice: where there is none to be had, nothing changes.
/// </summary>
internal static unsafe partial class HugePages
{
    private const nint PageBytes = 2 << 20;
    private const nint LeastBytes = 512 << 10;
    private const int WantHugePages = 14;
    private const int MakeHugePages = 25;

    /// <summary>Advises for an array that is pinned, best before it is written.</summary>
    public static void Advise<T>(T[] pinned)
        where T : struct
    {
        nint bytes = (nint)pinned.LongLength * Unsafe.SizeOf<T>();
        if (bytes < LeastBytes || !OperatingSystem.IsLinux())
        {
            return;
        }

        nint array = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
        nint first = array & ~(PageBytes - 1);
        nint length = ((array + bytes + PageBytes - 1) & ~(PageBytes - 1)) - first;
        _ = Advise(first, length, WantHugePages);

        // The collector has touched this memory before, in small pages, which would stay. One page at a time: the collector may not have taken all of the first and last.
        for (nint page = first; page < first + length; page += PageBytes)
        {
            _ = Advise(page, PageBytes, MakeHugePages);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nint bytes, int advice);
}
