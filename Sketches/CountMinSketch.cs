using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sketch.Sketches;

/// <summary>
/// Count-min sketch with conservative update (Cormode and Muthukrishnan 2005; Estan and Varghese 2002): sums of nonnegative
/// deltas by id in fixed memory. An estimate is never below the truth; how far above is for Sketch.Accuracy to say.
/// <para>
/// Four cells an id, in two cache lines of 16 cells of 32 bits: line A from the upper half of the keyed hash, line B from the
/// lower half, and in each line one cell of the first eight and one of the last eight. Two independent lines have the error of
/// four independent rows at half the cache misses; one line alone hands the whole count of a heavy id to a neighbour that
/// shares all its cells. An update raises only cells below (smallest cell + delta), which keeps most ids exact.
/// </para>
/// <para>
/// Cells saturate at <see cref="uint.MaxValue"/> and never wrap: an estimate of that value has no upper bound (see
/// <see cref="Saturated"/>), all other estimates stay right. There is no subtraction: a window's sketch is dropped as a whole.
/// </para>
/// <para>
/// One writer at a time. Any number of readers at the same moment, without locks: cells only grow, so a reader sees at least
/// what was there when its read began. <see cref="Clear"/> is for a sketch that no reader holds any more.
/// </para>
/// </summary>
public sealed partial class CountMinSketch
{
    /// <summary>The least memory: 4 KiB.</summary>
    public const long MinMemoryBytes = 4 << 10;

    /// <summary>The most memory: 1 GiB.</summary>
    public const long MaxMemoryBytes = 1 << 30;

    /// <summary>Rows, that is cells an id.</summary>
    public const int Depth = 4;

    /// <summary>The estimate that says only "at least this much".</summary>
    public const uint SaturatedEstimate = uint.MaxValue;

    private const int CellsPerLine = 16;
    private const int BytesPerLine = CellsPerLine * sizeof(uint);

    // Pinned, so that the alignment holds and prefetch may use addresses; not native memory, so that a late reader can never
    // touch what was freed.
    private readonly uint[] _cells;
    private readonly int _firstCell;
    private readonly uint _linesPerHalf;
    private SketchKey _key;
    private ulong _totalWeight;
    private bool _saturated;

    /// <summary>Makes an empty sketch; all of its memory is taken at once, from 4 MiB on in pages of 2 MiB where the system has them.</summary>
    /// <param name="memoryBytes">4 KiB to 1 GiB; rounded down to whole pairs of cache lines (128 bytes).</param>
    /// <param name="key">Keys the hash.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="memoryBytes"/> is out of range.</exception>
    public CountMinSketch(long memoryBytes, SketchKey key)
    {
        if (memoryBytes is < MinMemoryBytes or > MaxMemoryBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(memoryBytes), memoryBytes, $"memoryBytes is {memoryBytes}; allowed {MinMemoryBytes} to {MaxMemoryBytes}");
        }

        _linesPerHalf = (uint)(memoryBytes / (2 * BytesPerLine));
        int cells = checked((int)_linesPerHalf * 2 * CellsPerLine);
        _cells = HugePages.Allocate<uint>(cells, BytesPerLine, out _firstCell);
        _key = key;
    }

    /// <summary>Memory of the cells, in bytes.</summary>
    public long MemoryBytes => (long)_linesPerHalf * 2 * BytesPerLine;

    /// <summary>Cells a row: an id's cell in a row is one of so many.</summary>
    public long Width => (long)_linesPerHalf * 8;

    /// <summary>Names the key that the sketch hashes with.</summary>
    public ulong KeyId => _key.KeyId;

    /// <summary>The sum of all deltas added; wraps only above 2^64.</summary>
    public ulong TotalWeight => Volatile.Read(ref _totalWeight);

    /// <summary>True once some cell has saturated: ids whose estimate is <see cref="SaturatedEstimate"/> have no upper bound.</summary>
    public bool Saturated => Volatile.Read(ref _saturated);

    /// <summary>The cells, line by line: half A, then half B.</summary>
    internal Span<uint> Cells => _cells.AsSpan(_firstCell, (int)_linesPerHalf * 2 * CellsPerLine);

    /// <summary>Where an id's cells stand in <see cref="Cells"/>: the layout of docs/formats/sketches.md in plain words.</summary>
    internal int[] CellsOf(ulong id)
    {
        ulong hash = IdHash.Compute(_key, id);
        uint a = (uint)(hash >> 32), b = (uint)hash;
        int lineA = (int)((ulong)a * _linesPerHalf >> 32) * CellsPerLine, lineB = (int)(((ulong)b * _linesPerHalf >> 32) + _linesPerHalf) * CellsPerLine;
        return [lineA + (int)(a & 7), lineA + 8 + (int)(a >> 3 & 7), lineB + (int)(b & 7), lineB + 8 + (int)(b >> 3 & 7)];
    }

    /// <summary>Adds to an id and returns its new estimate.</summary>
    /// <param name="id">Any id.</param>
    /// <param name="delta">What to add.</param>
    public uint Add(ulong id, uint delta) => AddHashed(IdHash.Compute(_key, id), delta);

    /// <summary>Adds to an id whose hash under the sketch's key is known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal unsafe uint AddHashed(ulong hash, uint delta)
    {
        Vector128<uint> places = new CountMinCells(_linesPerHalf).Of(hash);
        uint estimate = Raise(Origin, (uint*)&places, delta).ToScalar();
        if (estimate == SaturatedEstimate)
            Volatile.Write(ref _saturated, true);
        Volatile.Write(ref _totalWeight, _totalWeight + delta);
        return estimate;
    }

    /// <summary>An id's estimate: never below the sum of its deltas; <see cref="SaturatedEstimate"/> when that is all there is to say.</summary>
    /// <param name="id">Any id.</param>
    public uint Estimate(ulong id) => EstimateHashed(IdHash.Compute(_key, id));

    /// <summary>The estimate of an id whose hash under the sketch's key is known.</summary>
    internal unsafe uint EstimateHashed(ulong hash)
    {
        Vector128<uint> places = new CountMinCells(_linesPerHalf).Of(hash);
        uint estimate = Smallest(Origin, (uint*)&places);
        GC.KeepAlive(this);
        return estimate;
    }

    /// <summary>Empties the sketch and gives it another key, so that large windows reuse their memory. No reader may hold it.</summary>
    /// <param name="newKey">Keys the hash from now on.</param>
    public void Clear(SketchKey newKey)
    {
        Cells.Clear();
        _key = newKey;
        _totalWeight = 0;
        Volatile.Write(ref _saturated, false);
    }

    // The array is pinned: addresses stay what they are.
    private unsafe uint* Origin
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint*)Unsafe.AsPointer(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_cells), _firstCell));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector128<uint> Raise(uint* origin, uint* places, uint delta)
    {
        uint* cell0 = origin + places[0], cell1 = origin + places[1], cell2 = origin + places[2], cell3 = origin + places[3];
        if (!Vector128.IsHardwareAccelerated)
            return Vector128.CreateScalar(RaiseScalar(ref *cell0, ref *cell1, ref *cell2, ref *cell3, delta));

        // Which cell is the smallest and which rise is close to random: as vectors nothing is guessed, hence nothing guessed wrong,
        // which is worth more than what gathering four cells costs (docs/performance.md).
        Vector128<uint> cells = Vector128.Create(*cell0, *cell1, *cell2, *cell3);
        Vector128<uint> smallest = Vector128.Min(cells, Vector128.Shuffle(cells, Vector128.Create(1u, 0, 3, 2)));
        smallest = Vector128.Min(smallest, Vector128.Shuffle(smallest, Vector128.Create(2u, 3, 0, 1)));
        Vector128<uint> added = Vector128.Create(delta);
        Vector128<uint> raised = Vector128.Min(smallest, ~added) + added; // at most the ceiling
        cells = Vector128.Max(cells, raised);
        *cell0 = cells.GetElement(0);
        *cell1 = cells.GetElement(1);
        *cell2 = cells.GetElement(2);
        *cell3 = cells.GetElement(3);
        return raised;
    }

    /// <summary>The reference: raises cells below the smallest plus delta to that.</summary>
    internal static uint RaiseScalar(ref uint cell0, ref uint cell1, ref uint cell2, ref uint cell3, uint delta)
    {
        uint smallest = Math.Min(Math.Min(cell0, cell1), Math.Min(cell2, cell3));
        uint raised = smallest + delta;
        if (raised < delta)
            raised = SaturatedEstimate;
        if (cell0 < raised) cell0 = raised;
        if (cell1 < raised) cell1 = raised;
        if (cell2 < raised) cell2 = raised;
        if (cell3 < raised) cell3 = raised;
        return raised;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe uint Smallest(uint* origin, uint* places)
    {
        uint in0 = Volatile.Read(ref origin[places[0]]), in1 = Volatile.Read(ref origin[places[1]]);
        uint in2 = Volatile.Read(ref origin[places[2]]), in3 = Volatile.Read(ref origin[places[3]]);
        if (!Vector128.IsHardwareAccelerated)
            return Math.Min(Math.Min(in0, in1), Math.Min(in2, in3));
        Vector128<uint> smallest = Vector128.Min(Vector128.CreateScalarUnsafe(in0), Vector128.CreateScalarUnsafe(in1));
        return Vector128.Min(smallest, Vector128.Min(Vector128.CreateScalarUnsafe(in2), Vector128.CreateScalarUnsafe(in3))).ToScalar();
    }
}
