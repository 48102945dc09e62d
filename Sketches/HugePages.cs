using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sketch.Sketches;

/// <summary>
/// Arrays that are read at random, in pages of 2 MiB where the system has them: with pages of 4 KiB nearly every look at such an array also misses the processor's table of
/// pages, and beside other work its caches too, which takes more than twice as long. Where there are none to be had, nothing but that is different.
/// </summary>
internal static unsafe partial class HugePages
{
    private const int PageBytes = 2 << 20;
    private const long LeastBytes = 2 * PageBytes;
    private const int WantHugePages = 14;
    private const int MakeHugePages = 25;

    /// <summary>Allocates a pinned array that has room for so many zeros from a line of the processor's cache on, or from a large page on when they fill more than one.</summary>
    /// <param name="length">How many zeros.</param>
    /// <param name="lineBytes">Bytes of a line, a power of two.</param>
    /// <param name="first">Where they begin.</param>
    /// <typeparam name="T">Of a zero.</typeparam>
    public static T[] Allocate<T>(int length, int lineBytes, out int first)
        where T : unmanaged
    {
        long bytes = (long)length * sizeof(T);
        int alignment = bytes < LeastBytes ? lineBytes : PageBytes;
        T[] array = GC.AllocateUninitializedArray<T>(checked(length + (alignment / sizeof(T)) - 1), pinned: true);
        nint address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
        nint skipped = -address & (alignment - 1);
        if (alignment == PageBytes && OperatingSystem.IsLinux())
        {
            // Before anything is written: memory that is fresh comes in such pages then. What was used before is moved into them.
            nint whole = (nint)bytes & ~(PageBytes - 1);
            _ = Advise(address + skipped, whole, WantHugePages);
            _ = Advise(address + skipped, whole, MakeHugePages);
        }

        // What lies before them is not touched: of fresh memory it takes nothing.
        first = (int)(skipped / sizeof(T));
        array.AsSpan(first, length).Clear();
        return array;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nint bytes, int advice);
}
