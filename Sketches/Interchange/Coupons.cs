namespace Sketch.Sketches;

/// <summary>
/// The small forms of an HLL sketch of Apache DataSketches: coupons (the hash's lower 26 bits, and above them the rank, 1 to 63) in
/// the order they came while there are fewer than 8, then in an open hash table. Order and table sizes are the library's: what
/// saw the same elements has the same bytes.
/// </summary>
internal struct Coupons
{
    public const int RankShift = 26;
    public const uint IndexMask = (1u << RankShift) - 1;
    public const int ListSize = 8;

    private const int FirstTableSize = 32;

    // The chance that two elements share index and rank, for how many elements there are: 2^-26 times the sum of 4^-rank.
    private const double Collision = 1.0 / 3 / (1 << RankShift);

    private uint[] _table;

    public Coupons()
    {
        _table = new uint[ListSize];
    }

    public int Count { get; private set; }

    /// <summary>True while the coupons stand in the order they came.</summary>
    public readonly bool IsList => _table.Length == ListSize;

    /// <summary>All places; 0 is an empty one.</summary>
    public readonly ReadOnlySpan<uint> Table => _table;

    public readonly double Estimate => Count + Count * (Count - 1.0) / 2 * Collision;

    public static uint FromHash(ulong h1, ulong h2) =>
        (uint)(Math.Min(System.Numerics.BitOperations.LeadingZeroCount(h2), 62) + 1) << RankShift | ((uint)h1 & IndexMask);

    public static bool IsValid(uint coupon) => coupon >> RankShift != 0;

    /// <summary>The most that a set holds at a precision; one more and it turns dense. There is no set below precision 8.</summary>
    public static int MaxInSet(int precision) => precision < 8 ? 0 : (1 << (precision - 3)) * 3 / 4;

    /// <summary>Adds a coupon. False says that they are too many now, and must become registers.</summary>
    public bool Add(uint coupon, int precision)
    {
        int at = Find(_table, coupon);
        if (_table[at] == coupon)
            return true;
        _table[at] = coupon;
        Count++;
        if (IsList)
        {
            if (Count < ListSize)
                return true;
            if (precision < 8)
                return false;
            Rehash(FirstTableSize);
            return true;
        }

        if (Count * 4 <= _table.Length * 3)
            return true;
        if (_table.Length == 1 << (precision - 3))
            return false;
        Rehash(_table.Length * 2);
        return true;
    }

    private void Rehash(int size)
    {
        uint[] larger = new uint[size];
        foreach (uint coupon in _table)
        {
            if (coupon != 0)
                larger[Find(larger, coupon)] = coupon;
        }

        _table = larger;
    }

    // There is always an empty place: a list turns into a table when its last one is taken, a table when a quarter is left.
    private static int Find(uint[] table, uint coupon)
    {
        if (table.Length == ListSize)
            return Array.FindIndex(table, one => one == coupon || one == 0);
        int mask = table.Length - 1;
        int at = (int)coupon & mask;
        int stride = (int)((coupon & IndexMask) >> System.Numerics.BitOperations.Log2((uint)table.Length)) | 1;
        while (table[at] != 0 && table[at] != coupon)
            at = (at + stride) & mask;
        return at;
    }
}
