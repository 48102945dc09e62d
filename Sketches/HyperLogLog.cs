namespace Sketch.Sketches;

/// <summary>
/// HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007) with Ertl's corrected raw estimator (2017): counts distinct elements.
/// <para>
/// It starts sparse: a sorted list of 32-bit tokens, one an element, practically exact (<see cref="HyperLogLogToken"/>). When
/// the tokens would take three quarters of the registers' memory it turns dense: 2^precision byte registers, each the largest
/// rank seen (the position of the hash's first one bit after the index), with a standard error of 1.039 / sqrt(2^precision).
/// Sparse and dense states of the same elements estimate and merge alike: a token holds enough to rebuild its register.
/// </para>
/// <para>
/// Elements come hashed with <see cref="ElementHash"/>; a state remembers its key's id and refuses to merge with another.
/// Not safe for concurrent use: one thread at a time, readers included.
/// </para>
/// </summary>
public sealed partial class HyperLogLog
{
    /// <summary>16 registers, standard error 26 %.</summary>
    public const int MinPrecision = 4;

    /// <summary>262,144 registers, standard error 0.2 %.</summary>
    public const int MaxPrecision = 18;

    /// <summary>4,096 registers, standard error 1.62 %.</summary>
    public const int DefaultPrecision = 12;

    private uint[] _tokens = [];
    private int _tokenCount;
    private byte[]? _registers;

    // Sum of 2^-rank over the registers that can still grow, in units of 2^-(63 - precision): 2^63 when all are zero.
    private ulong _changeWeight;

    /// <summary>Makes an empty state.</summary>
    /// <param name="keyId">The <see cref="SketchKey.KeyId"/> of the key that the elements are hashed with.</param>
    /// <param name="precision">4 to 18: 2^precision registers.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="precision"/> is out of range.</exception>
    public HyperLogLog(ulong keyId, int precision = DefaultPrecision)
    {
        if (precision is < MinPrecision or > MaxPrecision)
        {
            throw new ArgumentOutOfRangeException(
                nameof(precision), precision, $"precision is {precision}; allowed {MinPrecision} to {MaxPrecision}");
        }

        KeyId = keyId;
        Precision = precision;
    }

    /// <summary>Names the key that the elements are hashed with.</summary>
    public ulong KeyId { get; }

    /// <summary>The state has 2^precision registers when dense.</summary>
    public int Precision { get; }

    /// <summary>True until the tokens become registers.</summary>
    public bool IsSparse => _registers is null;

    /// <summary>True when nothing was added.</summary>
    public bool IsEmpty => _registers is null && _tokenCount == 0;

    /// <summary>The relative standard error of a dense state's estimate: sqrt(3 ln 2 - 1) / sqrt(2^precision).</summary>
    public double StandardError => Math.Sqrt((3 * Math.Log(2) - 1) / (1 << Precision));

    /// <summary>The most tokens: above it they become registers.</summary>
    internal int MaxTokens => (1 << Precision) * 3 / 16;

    internal ReadOnlySpan<uint> Tokens => _tokens.AsSpan(0, _tokenCount);

    internal ReadOnlySpan<byte> Registers => _registers;

    /// <summary>The largest rank that a register holds. A larger one (probability 2^-(62 - precision)) is taken for this one.</summary>
    internal int MaxRank => 63 - Precision;

    /// <summary>The probability that a new element would change the state.</summary>
    public double ChangeProbability => _registers is null ? 1 - _tokenCount * HyperLogLogToken.Collision : _changeWeight * (1.0 / (1ul << 63));

    /// <summary>Adds a hashed element.</summary>
    /// <param name="hash">From <see cref="ElementHash.Compute"/> with the state's key.</param>
    /// <returns>True when the state changed; false says that the element was counted before, or looks like one that was.</returns>
    public bool Add(ulong hash)
    {
        if (_registers is not null)
            return Raise((int)(hash >> (64 - Precision)), HyperLogLogToken.Rank(hash, Precision));
        return AddToken(HyperLogLogToken.FromHash(hash));
    }

    /// <summary>Takes in all elements of another state: afterwards this one is as if it had seen both.</summary>
    /// <param name="other">A state of the same key and precision.</param>
    /// <exception cref="ArgumentException">Another key or precision.</exception>
    public void Merge(HyperLogLog other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.KeyId != KeyId)
            throw new ArgumentException($"keyId is {other.KeyId:x16}; allowed {KeyId:x16}, that of the state merged into", nameof(other));
        if (other.Precision != Precision)
            throw new ArgumentException($"precision is {other.Precision}; allowed {Precision}, that of the state merged into", nameof(other));

        if (other._registers is null)
        {
            foreach (uint token in other.Tokens)
                AddToken(token);
            return;
        }

        if (_registers is null)
            BecomeDense();
        RegisterKernels.Max(_registers, other._registers);
        _changeWeight = RegisterKernels.ChangeWeight(_registers, Precision);
    }

    /// <summary>How many distinct elements were added, most likely.</summary>
    public double Estimate()
    {
        // Two elements share a token with a chance below 2^-26: the correction is at most half an element in the largest list.
        if (_registers is null)
            return -HyperLogLogToken.IndexCount * Math.Log(1 - _tokenCount / HyperLogLogToken.IndexCount);
        Span<int> histogram = stackalloc int[64];
        RegisterKernels.Histogram(_registers, histogram);
        return CorrectedRawEstimator.Estimate(histogram[..(MaxRank + 1)]);
    }

    /// <summary>Empties the state.</summary>
    public void Clear()
    {
        _tokens = [];
        _tokenCount = 0;
        _registers = null;
        _changeWeight = 0;
    }

    private bool AddToken(uint token)
    {
        if (_registers is not null)
            return Raise(HyperLogLogToken.Index(token, Precision), HyperLogLogToken.Rank(token, Precision));
        int at = _tokens.AsSpan(0, _tokenCount).BinarySearch(token);
        if (at >= 0)
            return false;
        if (_tokenCount == MaxTokens)
        {
            BecomeDense();
            return AddToken(token);
        }

        at = ~at;
        if (_tokenCount == _tokens.Length)
            Array.Resize(ref _tokens, Math.Min(MaxTokens, Math.Max(2, _tokenCount + _tokenCount / 2)));
        _tokens.AsSpan(at, _tokenCount - at).CopyTo(_tokens.AsSpan(at + 1));
        _tokens[at] = token;
        _tokenCount++;
        return true;
    }

    private bool Raise(int index, int rank)
    {
        ref byte register = ref _registers![index];
        if (register >= rank)
            return false;
        _changeWeight -= RegisterKernels.ChangeWeight(register, Precision) - RegisterKernels.ChangeWeight(rank, Precision);
        register = (byte)rank;
        return true;
    }

    private void BecomeDense()
    {
        _registers = new byte[1 << Precision];
        _changeWeight = 1ul << 63;
        foreach (uint token in Tokens)
            Raise(HyperLogLogToken.Index(token, Precision), HyperLogLogToken.Rank(token, Precision));
        _tokens = [];
        _tokenCount = 0;
    }
}
