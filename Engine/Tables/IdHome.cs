using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Sketch.Engine.Tables;

/// <summary>
/// How <see cref="DeltaTable"/> finds an id's home: the id is mixed with a key, and its home is the mixed number's share of the table. Whoever can choose names can choose
/// ids (their hash has no key), but not homes. A larger mixed number never has an earlier home, so that growing a table is a pass through memory instead of jumps. What is in a table never depends on the key.
/// </summary>
internal static class IdHome
{
    private static readonly ulong Key0 = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private static readonly ulong Key1 = DrawFactor();

    /// <summary>An id's first line, in a table of so many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Of(ulong id, int lines)
    {
        ulong high = Math.BigMul(id ^ Key0, Key1, out ulong low);
        return (int)Math.BigMul(high ^ low, (ulong)(uint)lines, out _);
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
