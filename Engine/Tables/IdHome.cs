using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Sketch.Sketches;

namespace Sketch.Engine.Tables;

/// <summary>
/// How <see cref="DeltaTable"/> finds an id's home: the id is mixed with a key, and its home is the mixed number's share of the table. Whoever can choose names can choose
/// ids (their hash has no key), but not homes. A larger mixed number never has an earlier home, so that growing a table is a pass through memory instead of jumps. What is in a table never depends on the key.
/// </summary>
internal readonly struct IdHome
{
    private static readonly ulong Key = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private static readonly ulong Factor = DrawFactor();

    private readonly ulong _key;
    private readonly ulong _factor;
    private readonly ulong _lines;

    private IdHome(uint lines)
    {
        _key = Key;
        _factor = Factor;
        _lines = lines;
    }

    /// <summary>For a table of so many lines.</summary>
    public static IdHome In(int lines) => new((uint)lines);

    /// <summary>An id's first line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Of(ulong id) => (int)((IdHash.Fold(id ^ _key, _factor) >> 32) * _lines >> 32);

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
