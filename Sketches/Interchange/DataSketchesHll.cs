namespace Sketch.Sketches;

/// <summary>How densely the library packs registers: bits each.</summary>
public enum DataSketchesHllType
{
    /// <summary>4 bits above a common minimum, larger ones in a table beside them.</summary>
    Hll4 = 0,

    /// <summary>6 bits.</summary>
    Hll6 = 1,

    /// <summary>8 bits.</summary>
    Hll8 = 2,
}

/// <summary>
/// An HLL sketch of Apache DataSketches: read from its bytes, asked, merged with others of its kind, continued and written back so
/// that the library reads it (docs/formats/datasketches.md).
/// <para>
/// It is not a <see cref="HyperLogLog"/> and cannot be merged with one: its elements were hashed with MurmurHash3 and a public
/// seed, so that chosen elements can raise its estimate at will. Use it at the border, not for untrusted elements.
/// </para>
/// <para>
/// Until a merge the estimate is the library's (historic inverse probability), with a standard error of 0.833 / sqrt(2^precision);
/// after one it is Ertl's corrected raw estimate, 1.039 / sqrt(2^precision), where the library interpolates in tables: the two
/// differ by a small part of the standard error. Not safe for concurrent use.
/// </para>
/// </summary>
public sealed partial class DataSketchesHll
{
    /// <summary>16 registers.</summary>
    public const int MinPrecision = 4;

    /// <summary>2,097,152 registers.</summary>
    public const int MaxPrecision = 21;

    private const ulong Seed = 9001;
    private const int MaxRank = 63;

    private Coupons _coupons = new();
    private byte[]? _registers;
    private double _historic;
    private double _inverseLow;  // the sum of 2^-rank over ranks below 32,
    private double _inverseHigh; // and over the others: two sums, so that both are exact
    private int _zeros;

    /// <summary>Makes an empty sketch.</summary>
    /// <param name="precision">4 to 21 (the library's lgConfigK).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="precision"/> is out of range.</exception>
    public DataSketchesHll(int precision = 12)
    {
        if (precision is < MinPrecision or > MaxPrecision)
        {
            throw new ArgumentOutOfRangeException(
                nameof(precision), precision, $"precision is {precision}; allowed {MinPrecision} to {MaxPrecision}");
        }

        Precision = precision;
    }

    /// <summary>The sketch has 2^precision registers when dense.</summary>
    public int Precision { get; }

    /// <summary>The packing that the sketch was read with; what was not read has <see cref="DataSketchesHllType.Hll8"/>.</summary>
    public DataSketchesHllType Type { get; private init; } = DataSketchesHllType.Hll8;

    /// <summary>True when there are registers and no longer coupons.</summary>
    public bool IsDense => _registers is not null;

    /// <summary>True when dense and a merge of several: the historic estimate is lost.</summary>
    public bool IsMerged { get; private set; }

    /// <summary>True when nothing was added.</summary>
    public bool IsEmpty => _registers is null ? _coupons.Count == 0 : _zeros == _registers.Length;

    /// <summary>The relative standard error of <see cref="Estimate"/>.</summary>
    public double StandardError
    {
        get
        {
            // The library's, of its coupons: two elements that share one are all that goes wrong.
            const double CouponError = 0.409 / (1 << 13);
            return !IsDense ? CouponError : Math.Sqrt((IsMerged ? 3 * Math.Log(2) - 1 : Math.Log(2)) / (1 << Precision));
        }
    }

    /// <summary>The registers, none while there are coupons.</summary>
    internal ReadOnlySpan<byte> Registers => _registers;

    /// <summary>The coupons of a sketch that is not dense.</summary>
    internal ReadOnlySpan<uint> CouponTable => _coupons.Table;

    /// <summary>Adds a 64-bit element, as the library adds an integer.</summary>
    /// <param name="element">Signed ones by their two's complement.</param>
    public void Add(ulong element)
    {
        (ulong h1, ulong h2) = MurmurHash3.Compute(element, Seed);
        AddCoupon(Coupons.FromHash(h1, h2));
    }

    /// <summary>Adds an element, as the library adds a string by its UTF-8 bytes: an empty one is ignored.</summary>
    /// <param name="element">Its bytes.</param>
    public void Add(ReadOnlySpan<byte> element)
    {
        if (element.IsEmpty)
            return;
        (ulong h1, ulong h2) = MurmurHash3.Compute(element, Seed);
        AddCoupon(Coupons.FromHash(h1, h2));
    }

    /// <summary>Takes in all elements of another sketch; one of a higher precision is folded to this one's.</summary>
    /// <param name="other">Of the same precision or a higher one.</param>
    /// <exception cref="ArgumentException">The other has a lower precision.</exception>
    public void Merge(DataSketchesHll other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Precision < Precision)
            throw new ArgumentException($"precision is {other.Precision}; allowed {Precision} to {MaxPrecision}, from that of the sketch merged into", nameof(other));
        if (ReferenceEquals(other, this))
            return;
        if (!other.IsDense)
        {
            foreach (uint coupon in other._coupons.Table)
            {
                if (coupon != 0)
                    AddCoupon(coupon);
            }

            return;
        }

        BecomeDense();
        int mask = (1 << Precision) - 1;
        if (other.Precision == Precision)
        {
            RegisterKernels.Max(_registers, other._registers);
        }
        else
        {
            for (int i = 0; i < other._registers!.Length; i++)
                _registers![i & mask] = Math.Max(_registers[i & mask], other._registers[i]);
        }

        IsMerged = true;
        _historic = 0;
        CountRegisters();
    }

    /// <summary>How many distinct elements were added, most likely.</summary>
    public double Estimate()
    {
        if (_registers is null)
            return _coupons.Estimate;
        if (!IsMerged)
            return _historic;
        Span<int> histogram = stackalloc int[MaxRank + 1];
        RegisterKernels.Histogram(_registers, histogram);
        return CorrectedRawEstimator.Estimate(histogram);
    }

    /// <summary>The estimate's bounds, so many standard errors away; the lower one is at least what has certainly been seen.</summary>
    /// <param name="standardErrors">1 for about 68 %, 2 for 95 %, 3 for 99.7 %.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="standardErrors"/> is not positive.</exception>
    public (double Lower, double Upper) Bounds(double standardErrors)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(standardErrors);
        double estimate = Estimate(), error = standardErrors * StandardError;
        double seen = _registers is null ? _coupons.Count : _registers.Length - _zeros;
        return (Math.Max(seen, estimate / (1 + error)), error < 1 ? Math.Max(seen, estimate / (1 - error)) : double.PositiveInfinity);
    }

    private void AddCoupon(uint coupon)
    {
        if (_registers is not null)
            Raise(coupon);
        else if (!_coupons.Add(coupon, Precision))
            BecomeDense();
    }

    private void Raise(uint coupon)
    {
        ref byte register = ref _registers![coupon & (uint)(_registers.Length - 1)];
        uint rank = coupon >> Coupons.RankShift;
        if (register >= rank)
            return;
        if (!IsMerged)
            _historic += _registers.Length / (_inverseLow + _inverseHigh);
        _zeros -= register == 0 ? 1 : 0;
        Note(register, -1);
        register = (byte)rank;
        Note(register, 1);
    }

    private void BecomeDense()
    {
        if (_registers is not null)
            return;
        double estimate = _coupons.Estimate;
        _registers = new byte[1 << Precision];
        CountRegisters();
        foreach (uint coupon in _coupons.Table)
        {
            if (coupon != 0)
                Raise(coupon);
        }

        _historic = estimate;
        _coupons = new Coupons();
    }

    private void CountRegisters()
    {
        (_inverseLow, _inverseHigh, _zeros) = (0, 0, 0);
        foreach (byte rank in _registers!)
        {
            Note(rank, 1);
            _zeros += rank == 0 ? 1 : 0;
        }
    }

    private void Note(int rank, int sign)
    {
        double inverse = sign * BitConverter.Int64BitsToDouble((1023L - rank) << 52);
        if (rank < 32)
            _inverseLow += inverse;
        else
            _inverseHigh += inverse;
    }
}
