namespace Sketch.Sketches;

/// <summary>
/// A count-min sketch of Apache DataSketches C++ with 64-bit integer weights: read from its bytes, asked, merged with others of its
/// kind, continued and written back so that the library reads it (docs/formats/datasketches.md).
/// <para>
/// It is not a <see cref="CountMinSketch"/> and cannot be merged with one: rows are hashed with MurmurHash3 under seeds that follow
/// from one public number. Every update raises one cell a row (no conservative update), so its error is several times larger.
/// </para>
/// <para>
/// As long as no weight was negative the truth is in [<see cref="LowerBound(ulong)"/>, <see cref="Estimate(ulong)"/>] with probability
/// 1 - e^-rows: collisions only add. The library itself calls the estimate its lower bound; it is the upper one.
/// </para>
/// <para>Not safe for concurrent use.</para>
/// </summary>
public sealed partial class DataSketchesCountMin
{
    /// <summary>The seed that the library takes when it is given none.</summary>
    public const ulong DefaultSeed = 9001;

    /// <summary>The fewest buckets.</summary>
    public const int MinBuckets = 3;

    /// <summary>Rows times buckets stays below this.</summary>
    public const int MaxCells = 1 << 30;

    private readonly ulong[] _rowSeeds;
    private readonly long[] _cells;

    /// <summary>Makes an empty sketch.</summary>
    /// <param name="rows">1 to 255.</param>
    /// <param name="buckets">3 or more; rows times buckets below 2^30.</param>
    /// <param name="seed">Both sides must know it; the bytes hold only 16 bits of its hash.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public DataSketchesCountMin(int rows, int buckets, ulong seed = DefaultSeed)
    {
        if (rows is < 1 or > byte.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(rows), rows, $"rows is {rows}; allowed 1 to {byte.MaxValue}");
        if (buckets < MinBuckets || (long)rows * buckets >= MaxCells)
        {
            throw new ArgumentOutOfRangeException(
                nameof(buckets), buckets, $"buckets is {buckets}; allowed {MinBuckets} to {(MaxCells - 1) / rows} with {rows} rows");
        }

        Buckets = buckets;
        Seed = seed;
        _rowSeeds = RowSeeds.Of(seed, rows);
        _cells = new long[rows * buckets];
    }

    /// <summary>Rows, that is cells an id.</summary>
    public int Rows => _rowSeeds.Length;

    /// <summary>Cells a row.</summary>
    public int Buckets { get; }

    /// <summary>What the rows' seeds follow from.</summary>
    public ulong Seed { get; }

    /// <summary>The sum of all weights' absolute values.</summary>
    public long TotalWeight { get; private set; }

    /// <summary>Adds a weight to a 64-bit item.</summary>
    /// <param name="item">Signed ones by their two's complement.</param>
    /// <param name="weight">Any; cells wrap beyond 64 bits, as the library's do.</param>
    public void Add(ulong item, long weight)
    {
        TotalWeight = unchecked(TotalWeight + (weight < 0 ? -weight : weight));
        for (int row = 0; row < Rows; row++)
            unchecked { _cells[Cell(row, MurmurHash3.Compute(item, _rowSeeds[row]).H1)] += weight; }
    }

    /// <summary>Adds a weight to an item of bytes; as in the library, an empty one is ignored.</summary>
    /// <param name="item">For a string its UTF-8 bytes.</param>
    /// <param name="weight">As for <see cref="Add(ulong, long)"/>.</param>
    public void Add(ReadOnlySpan<byte> item, long weight)
    {
        if (item.IsEmpty)
            return;
        TotalWeight = unchecked(TotalWeight + (weight < 0 ? -weight : weight));
        for (int row = 0; row < Rows; row++)
            unchecked { _cells[Cell(row, MurmurHash3.Compute(item, _rowSeeds[row]).H1)] += weight; }
    }

    /// <summary>The smallest of the item's cells; never below the truth when no weight was negative.</summary>
    /// <param name="item">A 64-bit item.</param>
    public long Estimate(ulong item)
    {
        long smallest = long.MaxValue;
        for (int row = 0; row < Rows; row++)
            smallest = Math.Min(smallest, _cells[Cell(row, MurmurHash3.Compute(item, _rowSeeds[row]).H1)]);
        return smallest;
    }

    /// <summary>The smallest of the item's cells; 0 for an empty item.</summary>
    /// <param name="item">Its bytes.</param>
    public long Estimate(ReadOnlySpan<byte> item)
    {
        if (item.IsEmpty)
            return 0;
        long smallest = long.MaxValue;
        for (int row = 0; row < Rows; row++)
            smallest = Math.Min(smallest, _cells[Cell(row, MurmurHash3.Compute(item, _rowSeeds[row]).H1)]);
        return smallest;
    }

    /// <summary>The estimate less e / buckets of the total weight, but not below 0: true with probability 1 - e^-rows when no weight was negative.</summary>
    /// <param name="item">A 64-bit item.</param>
    public long LowerBound(ulong item) => Math.Max(0, Math.Max(0, Estimate(item)) - (long)Math.Ceiling(Math.E * TotalWeight / Buckets));

    /// <summary>Adds another sketch's cells to this one's.</summary>
    /// <param name="other">Of the same rows, buckets and seed.</param>
    /// <exception cref="ArgumentException">Others.</exception>
    public void Merge(DataSketchesCountMin other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if ((other.Rows, other.Buckets) != (Rows, Buckets))
            throw new ArgumentException($"shape is {other.Rows} x {other.Buckets}; allowed {Rows} x {Buckets}, that of the sketch merged into", nameof(other));
        if (other.Seed != Seed)
            throw new ArgumentException($"seed is {other.Seed}; allowed {Seed}, that of the sketch merged into", nameof(other));
        for (int i = 0; i < _cells.Length; i++)
            _cells[i] = unchecked(_cells[i] + other._cells[i]);
        TotalWeight = unchecked(TotalWeight + other.TotalWeight);
    }

    private int Cell(int row, ulong hash) => row * Buckets + (int)(hash % (uint)Buckets);
}
