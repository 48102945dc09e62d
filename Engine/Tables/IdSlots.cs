using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;

namespace Sketch.Engine.Tables;

/// <summary>
/// How the tables by id find a slot: an id is mixed with a key, its home is the mixed number's share of the table, and from there the next free slot, around the
/// end. Whoever can choose names can choose ids (their hash has no key), but not homes. A larger mixed number never has an earlier home, so that
/// growing a table is a pass through memory instead of jumps. What is in a table never depends on the key.
/// </summary>
internal static class IdSlots
{
    /// <summary>How many ids a batch looks up at once, so that their cache misses overlap.</summary>
    public const int Group = 16;

    private static readonly ulong Key0 = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private static readonly ulong Key1 = DrawFactor();

    /// <summary>An id's first slot, in a table of so many slots.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Home(ulong id, int slots)
    {
        ulong high = Math.BigMul(id ^ Key0, Key1, out ulong low);
        return (int)Math.BigMul(high ^ low, (ulong)(uint)slots, out _);
    }

    /// <summary>An array whose slots stay where they are, so that they can be prefetched.</summary>
    public static T[] Allocate<T>(int slots)
        where T : struct
    {
        T[] array = GC.AllocateArray<T>(slots, pinned: true);
        HugePages.Advise(array);
        return array;
    }

    /// <summary>
    /// Asks for the cache lines that the next group needs: called before each group, it lets the misses of one group overlap the work on the one before. The first
    /// call asks for both.
    /// </summary>
    /// <param name="table">The slots, from <see cref="Allocate"/>.</param>
    /// <param name="ids">All ids.</param>
    /// <param name="at">Where the group begins that is worked on next.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void PrefetchAhead<T>(T[] table, ReadOnlySpan<ulong> ids, int at)
        where T : struct
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        ref T first = ref MemoryMarshal.GetArrayDataReference(table);
        int end = Math.Min(ids.Length, at + (2 * Group));
        for (int i = at == 0 ? 0 : at + Group; i < end; i++)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref first, Home(ids[i], table.Length)))); // pinned: the address stays what it is
        }
    }

    // Neighbouring ids go in steps of the factor around the table. With one factor in six 4,096 of them leave parts of it empty and crowd the others: those are not taken.
    private static ulong DrawFactor()
    {
        const int PartBits = 10;
        Span<bool> isReached = stackalloc bool[1 << PartBits];
        while (true)
        {
            ulong factor = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;
            isReached.Clear();
            for (ulong i = 0; i < 4 << PartBits; i++)
            {
                isReached[(int)((i * factor) >> (64 - PartBits))] = true;
            }

            if (!isReached.Contains(false))
            {
                return factor;
            }
        }
    }
}
