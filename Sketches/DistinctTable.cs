using System.Runtime.InteropServices;

namespace Sketch.Sketches;

/// <summary>
/// Many distinct counters by 64-bit id, each as if it were a <see cref="HyperLogLog"/> of its own and equal to it state for state, without
/// an object a counter.
/// <para>
/// 16 bytes an entry and 4 to 11 in an index; a counter's first element stays in its entry. Further ones are tokens of 4 bytes in blocks of
/// 2, 4, 8 ... from slabs, and above three quarters of the registers' memory 2^precision byte registers in a slab of their own. A million
/// counters whose cardinalities follow Zipf's law over 10 million elements take 55 MB (precision 12), where blocks of 14 tokens in every
/// entry would take 90.
/// </para>
/// <para>
/// One writer; any number of readers at the same moment, without locks. Tokens are only appended and registers only grow, so a reader sees
/// at least what was there when its read began; when a counter moved to a larger block, or one was removed, it reads again.
/// <see cref="Clear"/> is for a table that no reader holds any more.
/// </para>
/// </summary>
public sealed partial class DistinctTable
{
    private const int EntriesPerChunk = 1 << 12;
    private const int ChunkShift = 12;
    private const int FirstIndex = 1 << 10;

    // Meta: class (8 bits) | tokens (24) | block, or the token itself while there is one (32).
    private const int InEntry = 0;
    private const int Removed = 254; // the entry is free; the next free one + 1 is its block
    private const int Registers = 255;
    private const uint Tombstone = uint.MaxValue;

    private readonly SketchKey _key;
    private readonly WordSlab[] _tokens; // by class, from 1: blocks of 2^class tokens, the last of MaxTokens
    private readonly WordSlab _registers; // change weight in two words, then four registers a word, as in HyperLogLog
    private readonly int _maxTokens;
    private Entry[][] _entries = [];
    private uint[] _index = new uint[FirstIndex]; // entry + 1; 0 is free, Tombstone was an entry's
    private int _tombstones;
    private int _used; // entries that are, or were, a counter's
    private uint _freeEntry; // its number + 1; 0 is none
    private int _count;
    private long _removals; // odd while one is under way

    /// <summary>Makes an empty table.</summary>
    /// <param name="key">The key that the elements are hashed with; also spreads the ids over the index, so that nobody can choose who collides.</param>
    /// <param name="precision">4 to 18: 2^precision registers a dense counter.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="precision"/> is out of range.</exception>
    public DistinctTable(SketchKey key, int precision = HyperLogLog.DefaultPrecision)
    {
        HyperLogLog shape = new(key.KeyId, precision);
        _key = key;
        KeyId = shape.KeyId;
        Precision = precision;
        _maxTokens = shape.MaxTokens;
        List<WordSlab> classes = [];
        for (int tokens = 2; classes.Count == 0 || classes[^1].BlockWords < _maxTokens; tokens *= 2)
            classes.Add(new WordSlab(Math.Min(tokens, _maxTokens)));
        _tokens = [.. classes];
        _registers = new WordSlab(2 + (1 << precision) / 4);
    }

    /// <summary>Names the key that the elements are hashed with.</summary>
    public ulong KeyId { get; }

    /// <summary>A dense counter has 2^precision registers.</summary>
    public int Precision { get; }

    /// <summary>How many counters there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>What the table's arrays take on a 64-bit heap, in bytes: all that grows with what is counted.</summary>
    public long MemoryBytes
    {
        get
        {
            long bytes = WordSlab.ArrayBytes((long)_index.Length * sizeof(uint)) + _registers.MemoryBytes;
            bytes += _entries.Length * (WordSlab.ArrayBytes((long)EntriesPerChunk * 16) + 8);
            foreach (WordSlab slab in _tokens)
                bytes += slab.MemoryBytes;
            return bytes;
        }
    }

    /// <summary>
    /// A counter's number, below <see cref="Numbers"/>, for columns of one's own beside the table. It stays the same until the counter is removed, and may then be given to another.
    /// </summary>
    /// <param name="id">Any id.</param>
    /// <param name="number">The number, or -1.</param>
    /// <returns>False when there is no such counter.</returns>
    public bool TryGetNumber(ulong id, out int number)
    {
        number = Find(id);
        return number >= 0;
    }

    /// <summary>All numbers given so far are below this.</summary>
    public int Numbers => Volatile.Read(ref _used);

    /// <summary>How many distinct elements a counter has, most likely; 0 when there is no such counter.</summary>
    /// <param name="id">Any id.</param>
    public double Estimate(ulong id)
    {
        while (true)
        {
            long removals = Volatile.Read(ref _removals);
            double estimate = EstimateOnce(id);
            if (IsUndisturbed(removals))
                return estimate;
        }
    }

    /// <summary>How probable it is that a new element changes a counter's state: 1 when there is no such counter.</summary>
    /// <param name="id">Any id.</param>
    public double ChangeProbability(ulong id)
    {
        while (true)
        {
            long removals = Volatile.Read(ref _removals);
            int at = Find(id);
            double probability = at < 0 ? 1 : ChangeProbabilityOf(Volatile.Read(ref EntryAt(at).Meta));
            if (IsUndisturbed(removals))
                return probability;
        }
    }

    /// <summary>A counter's state as it is now, for saving, merging, or bounds; null when there is no such counter.</summary>
    /// <param name="id">Any id.</param>
    public HyperLogLog? Get(ulong id)
    {
        while (true)
        {
            long removals = Volatile.Read(ref _removals);
            HyperLogLog? state = GetOnce(id);
            if (IsUndisturbed(removals))
                return state;
        }
    }

    /// <summary>The counters' ids, by their numbers; as many as fit. For the writer's thread.</summary>
    /// <param name="into">Receives the ids.</param>
    /// <returns>How many were written.</returns>
    public int CopyIds(Span<ulong> into)
    {
        int copied = 0;
        for (int at = 0; at < _used && copied < into.Length; at++)
        {
            if (ClassOf(EntryAt(at).Meta) != Removed)
                into[copied++] = EntryAt(at).Id;
        }

        return copied;
    }

    /// <summary>Empties the table and lets its memory go. No reader may hold it.</summary>
    public void Clear()
    {
        foreach (WordSlab slab in _tokens)
            slab.Clear();
        _registers.Clear();
        _entries = [];
        _index = new uint[FirstIndex];
        _tombstones = 0;
        _used = 0;
        _freeEntry = 0;
        Volatile.Write(ref _count, 0);
    }

    private double EstimateOnce(ulong id)
    {
        int at = Find(id);
        if (at < 0)
            return 0;
        ulong meta = Volatile.Read(ref EntryAt(at).Meta);
        if (ClassOf(meta) != Registers)
            return HyperLogLog.EstimateTokens(CountOf(meta));
        // Registers are the last block that a counter gets: they stay its own until it is removed.
        return HyperLogLog.EstimateRegisters(RegistersOf(_registers.Block(BlockOf(meta))), Precision);
    }

    private double ChangeProbabilityOf(ulong meta) => ClassOf(meta) == Registers
        ? Volatile.Read(ref ChangeWeightOf(_registers.Block(BlockOf(meta)))) * (1.0 / (1ul << 63))
        : 1 - CountOf(meta) * HyperLogLogToken.Collision;

    private HyperLogLog? GetOnce(ulong id)
    {
        int at = Find(id);
        if (at < 0)
            return null;
        ref Entry entry = ref EntryAt(at);
        while (true)
        {
            ulong meta = Volatile.Read(ref entry.Meta);
            int kind = ClassOf(meta);
            if (kind == Registers)
                return HyperLogLog.FromRegisters(KeyId, Precision, RegistersOf(_registers.Block(BlockOf(meta))));
            if (kind == InEntry)
                return HyperLogLog.FromTokens(KeyId, Precision, CountOf(meta) == 0 ? [] : [BlockOf(meta)]);
            if (kind == Removed)
                return null;
            uint[] tokens = _tokens[kind - 1].Block(BlockOf(meta))[..CountOf(meta)].ToArray();
            // The block was this counter's until now if it still is: a counter never gets a smaller block, nor the same one again.
            Interlocked.MemoryBarrier();
            if (ClassOf(Volatile.Read(ref entry.Meta)) == kind)
                return HyperLogLog.FromTokens(KeyId, Precision, tokens);
        }
    }

    // Whether what was read since belongs to one counter: blocks and entries get another owner by removals only.
    private bool IsUndisturbed(long removals)
    {
        Interlocked.MemoryBarrier();
        return (removals & 1) == 0 && Volatile.Read(ref _removals) == removals;
    }

    private static int ClassOf(ulong meta) => (int)(meta >> 56);

    private static int CountOf(ulong meta) => (int)(meta >> 32) & 0xffffff;

    private static uint BlockOf(ulong meta) => (uint)meta;

    private static ulong Meta(int kind, int count, uint block) => (ulong)kind << 56 | (ulong)count << 32 | block;

    private static Span<byte> RegistersOf(Span<uint> block) => MemoryMarshal.AsBytes(block[2..]);

    private static ref ulong ChangeWeightOf(Span<uint> block) => ref MemoryMarshal.AsRef<ulong>(MemoryMarshal.AsBytes(block[..2]));

    private ref Entry EntryAt(int at) => ref Volatile.Read(ref _entries)[at >> ChunkShift][at & (EntriesPerChunk - 1)];

    // The entry's number, or -1.
    private int Find(ulong id)
    {
        uint[] index = Volatile.Read(ref _index);
        for (ulong place = IdHash.Compute(_key, id); ; place++)
        {
            uint found = Volatile.Read(ref index[place & (ulong)(index.Length - 1)]);
            if (found == 0)
                return -1;
            if (found != Tombstone && EntryAt((int)found - 1).Id == id)
                return (int)found - 1;
        }
    }

    private struct Entry
    {
        public ulong Id;
        public ulong Meta;
    }
}
