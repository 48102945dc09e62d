using System.Runtime.InteropServices;

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
/// Memory: 40 bytes, and an array of 24 bytes and 4 a token or 2^precision: a million counters whose cardinalities follow
/// Zipf's law over 10 million elements take about 100 MB.
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

    private const int Dense = -1;
    private const ulong Unknown = ulong.MaxValue;

    // Sparse: sorted tokens. Dense: the change weight in the first two words, then four registers a word. One array for both
    // because there may be millions of states, most of them tiny.
    private uint[] _words = [];
    private int _tokenCount;

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
    public bool IsSparse => _tokenCount != Dense;

    /// <summary>True when nothing was added.</summary>
    public bool IsEmpty => _tokenCount == 0;

    /// <summary>What the object and its array take on a 64-bit heap, in bytes.</summary>
    public int MemoryBytes => 40 + (_words.Length == 0 ? 0 : 24 + (_words.Length + 1) / 2 * 8);

    /// <summary>The relative standard error of a dense state's estimate: sqrt(3 ln 2 - 1) / sqrt(2^precision).</summary>
    public double StandardError => StandardErrorOf(Precision);

    /// <summary>The relative standard error at a precision.</summary>
    /// <param name="precision">4 to 18.</param>
    public static double StandardErrorOf(int precision) => Math.Sqrt((3 * Math.Log(2) - 1) / (1 << precision));

    /// <summary>
    /// The probability that an element not yet counted would change the state: 1 when empty, the mean of 2^-register when dense.
    /// </summary>
    public double ChangeProbability =>
        IsSparse ? 1 - _tokenCount * HyperLogLogToken.Collision : KnownChangeWeight() * (1.0 / (1ul << 63));

    /// <summary>The most tokens: above it they become registers.</summary>
    internal int MaxTokens => (1 << Precision) * 3 / 16;

    /// <summary>The largest rank that a register holds. A larger one (probability 2^-(62 - precision)) is taken for this one.</summary>
    internal int MaxRank => 63 - Precision;

    internal ReadOnlySpan<uint> Tokens => _words.AsSpan(0, Math.Max(0, _tokenCount));

    internal Span<byte> Registers => IsSparse ? [] : MemoryMarshal.AsBytes(_words.AsSpan(2));

    // Sum of 2^-rank over the registers that can still grow, in units of 2^-(63 - precision): 2^63 when all are zero. Unknown
    // after a merge, until someone asks: most unions are only estimated.
    private ref ulong ChangeWeight => ref MemoryMarshal.AsRef<ulong>(MemoryMarshal.AsBytes(_words.AsSpan(0, 2)));

    /// <summary>Adds a hashed element.</summary>
    /// <param name="hash">From <see cref="ElementHash.Compute"/> with the state's key.</param>
    /// <returns>True when the state changed; false says that the element was counted before, or looks like one that was.</returns>
    public bool Add(ulong hash) => IsSparse
        ? AddToken(HyperLogLogToken.FromHash(hash))
        : Raise((int)(hash >> (64 - Precision)), HyperLogLogToken.Rank(hash, Precision));

    /// <summary>Adds many hashed elements.</summary>
    /// <param name="hashes">From <see cref="ElementHash.Compute"/> with the state's key.</param>
    public void Add(ReadOnlySpan<ulong> hashes)
    {
        int at = 0;
        for (; at < hashes.Length && IsSparse; at++)
            AddToken(HyperLogLogToken.FromHash(hashes[at]));
        if (at == hashes.Length)
            return;
        ulong fell = RegisterKernels.Raise(Registers, hashes[at..], Precision);
        if (ChangeWeight != Unknown)
            ChangeWeight -= fell;
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

        if (other.IsSparse)
        {
            foreach (uint token in other.Tokens)
                AddToken(token);
            return;
        }

        if (IsSparse)
            BecomeDense();
        RegisterKernels.Max(Registers, other.Registers);
        ChangeWeight = Unknown;
    }

    /// <summary>How many distinct elements were added, most likely.</summary>
    public double Estimate()
    {
        return IsSparse ? EstimateTokens(_tokenCount) : EstimateRegisters(Registers, Precision);
    }

    /// <summary>Empties the state.</summary>
    public void Clear()
    {
        _words = [];
        _tokenCount = 0;
    }

    /// <summary>Raises registers directly, which makes the state dense unless there are none.</summary>
    internal void RaiseRegisters(ReadOnlySpan<uint> indexes, ReadOnlySpan<byte> ranks)
    {
        if (IsSparse && indexes.Length > 0)
            BecomeDense();
        for (int i = 0; i < indexes.Length; i++)
        {
            if (indexes[i] >= 1u << Precision)
                throw new InvalidDataException($"register index is {indexes[i]}; allowed 0 to {(1 << Precision) - 1}");
            if (ranks[i] > MaxRank)
                throw new InvalidDataException($"rank of register {indexes[i]} is {ranks[i]}; allowed 0 to {MaxRank}");
            Raise((int)indexes[i], ranks[i]);
        }
    }

    private bool AddToken(uint token)
    {
        if (!IsSparse)
            return Raise(HyperLogLogToken.Index(token, Precision), HyperLogLogToken.Rank(token, Precision));
        int at = _words.AsSpan(0, _tokenCount).BinarySearch(token);
        if (at >= 0)
            return false;
        if (_tokenCount == MaxTokens)
        {
            BecomeDense();
            return AddToken(token);
        }

        at = ~at;
        if (_tokenCount == _words.Length)
            Array.Resize(ref _words, Math.Min(MaxTokens, Math.Max(2, _tokenCount + _tokenCount / 2)));
        _words.AsSpan(at, _tokenCount - at).CopyTo(_words.AsSpan(at + 1));
        _words[at] = token;
        _tokenCount++;
        return true;
    }

    private bool Raise(int index, int rank)
    {
        ref byte register = ref Registers[index];
        if (register >= rank)
            return false;
        if (ChangeWeight != Unknown)
            ChangeWeight -= RegisterKernels.ChangeWeight(register, Precision) - RegisterKernels.ChangeWeight(rank, Precision);
        register = (byte)rank;
        return true;
    }

    private ulong KnownChangeWeight()
    {
        if (ChangeWeight == Unknown)
            ChangeWeight = RegisterKernels.ChangeWeight((ReadOnlySpan<byte>)Registers, Precision);
        return ChangeWeight;
    }

    private void BecomeDense()
    {
        ReadOnlySpan<uint> tokens = Tokens;
        _words = new uint[2 + (1 << Precision) / 4];
        _tokenCount = Dense;
        ChangeWeight = 1ul << 63;
        foreach (uint token in tokens)
            Raise(HyperLogLogToken.Index(token, Precision), HyperLogLogToken.Rank(token, Precision));
    }
}
