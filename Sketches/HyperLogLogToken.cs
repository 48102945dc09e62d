using System.Numerics;

namespace Sketch.Sketches;

/// <summary>
/// What a sparse state keeps of a hash (Ertl 2023, "hash tokens"): its upper 26 bits, and in 6 bits the rank of the rest. From
/// it the register of every precision up to 18 can be rebuilt.
/// </summary>
internal static class HyperLogLogToken
{
    public const int IndexBits = 26;
    public const double IndexCount = 1 << IndexBits;

    /// <summary>About the chance that a new element's token equals a given one: 2^-26 for the index, a third of it for the rank.</summary>
    public const double Collision = 1 / (3 * IndexCount);

    /// <summary>Ranks of the 38 bits that follow the index: 1 to 38, or 39 when all are zero.</summary>
    public const int MaxRank = 64 - IndexBits + 1;

    public static bool IsValid(uint token) => (token & 63) is >= 1 and <= MaxRank;

    public static uint FromHash(ulong hash)
    {
        uint index = (uint)(hash >> (64 - IndexBits));
        int rank = BitOperations.LeadingZeroCount(hash << IndexBits | 1ul << (IndexBits - 1)) + 1;
        return index << 6 | (uint)rank;
    }

    /// <summary>The register's index, from a token.</summary>
    public static int Index(uint token, int precision) => (int)(token >> (32 - precision));

    /// <summary>The register's rank, from a token.</summary>
    public static int Rank(uint token, int precision)
    {
        uint between = token << precision & ~((1u << (6 + precision)) - 1);
        int rank = between != 0
            ? BitOperations.LeadingZeroCount(between) + 1
            : IndexBits - precision + (int)(token & 63);
        return Math.Min(rank, 63 - precision);
    }

    /// <summary>The register's rank, from the hash.</summary>
    public static int Rank(ulong hash, int precision) =>
        Math.Min(BitOperations.LeadingZeroCount(hash << precision | 1) + 1, 63 - precision);
}
