using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Engine.Tables;

/// <summary>
/// How the tables by id find a slot: an id's home is its share of the table, id / 2^64 of all slots, and from there the next free one, around the end. Ids are hashes, so homes
/// spread evenly; and since a larger id never has an earlier home, a walk over the slots meets ids nearly in order. Sorting, growing and adding a
/// sorted run of ids are then passes through memory instead of jumps.
/// </summary>
internal static class IdSlots
{
    /// <summary>How many ids a batch looks up at once, so that their cache misses overlap.</summary>
    public const int Group = 16;

    /// <summary>An id's first slot, in a table of so many slots.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Home(ulong id, int slots) => (int)Math.BigMul(id, (ulong)(uint)slots, out _);

    /// <summary>An array whose slots stay where they are, so that they can be prefetched.</summary>
    public static T[] Allocate<T>(int slots)
        where T : struct
    {
        T[] array = GC.AllocateArray<T>(slots, pinned: true);
        HugePages.Advise(array);
        return array;
    }

    /// <summary>Asks for the cache line of a slot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch<T>(ref T slot)
        where T : struct
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref slot)); // pinned: the address stays what it is
        }
    }

    /// <summary>Asks for the cache lines of a group's homes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch<T>(T[] table, ReadOnlySpan<ulong> ids)
        where T : struct
    {
        ref T first = ref MemoryMarshal.GetArrayDataReference(table);
        int slots = table.Length;
        foreach (ulong id in ids)
        {
            Prefetch(ref Unsafe.Add(ref first, Home(id, slots)));
        }
    }
}
