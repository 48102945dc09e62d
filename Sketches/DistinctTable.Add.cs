using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Sketches;

/// <content>The writer's side.</content>
public sealed partial class DistinctTable
{
    // As many as there are line buffers to fill at a time.
    private const int Ahead = 16;

    /// <summary>Adds a hashed element to a counter, which is made when there is none.</summary>
    /// <param name="id">The counter.</param>
    /// <param name="hash">From <see cref="ElementHash.Compute"/> with the table's key.</param>
    /// <returns>True when the counter's state changed.</returns>
    public bool Add(ulong id, ulong hash) => AddTo(FindOrAdd(id), hash);

    /// <summary>Adds a hashed element, and tells what a martingale estimator needs (see <see cref="DistinctMartingale"/>).</summary>
    /// <param name="id">The counter.</param>
    /// <param name="hash">From <see cref="ElementHash.Compute"/> with the table's key.</param>
    /// <param name="changeProbability">How probable it was, before this element, that a new one changes the state.</param>
    /// <returns>True when the counter's state changed.</returns>
    public bool Add(ulong id, ulong hash, out double changeProbability)
    {
        int at = FindOrAdd(id);
        changeProbability = ChangeProbabilityOf(EntryAt(at).Meta);
        return AddTo(at, hash);
    }

    /// <summary>Adds many elements; memory that they will need is asked for a few elements ahead.</summary>
    /// <param name="ids">The counters.</param>
    /// <param name="hashes">An element for each, from <see cref="ElementHash.Compute"/> with the table's key.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<ulong> hashes)
    {
        if (ids.Length != hashes.Length)
            throw new ArgumentException($"hashes are {hashes.Length}; allowed {ids.Length}, one for each id", nameof(hashes));
        Span<ulong> places = stackalloc ulong[Ahead];
        Span<int> found = stackalloc int[Ahead];
        for (int start = 0; start < ids.Length; start += Ahead)
        {
            int count = Math.Min(Ahead, ids.Length - start);
            ref uint index = ref MemoryMarshal.GetArrayDataReference(_index);
            for (int i = 0; i < count; i++)
            {
                places[i] = IdHash.Compute(_key, ids[start + i]);
                Prefetch(ref Unsafe.Add(ref index, (nuint)(places[i] & (ulong)(_index.Length - 1))));
            }

            for (int i = 0; i < count; i++)
            {
                uint entry = Unsafe.Add(ref index, (nuint)(places[i] & (ulong)(_index.Length - 1)));
                found[i] = entry == Tombstone ? -1 : (int)entry - 1;
                if (entry is not 0 and not Tombstone)
                    Prefetch(ref Unsafe.As<Entry, uint>(ref EntryAt((int)entry - 1)));
            }

            for (int i = 0; i < count; i++)
                PrefetchBlock(found[i], ids[start + i], hashes[start + i]);
            for (int i = 0; i < count; i++)
                AddTo(FindOrAdd(ids[start + i]), hashes[start + i]);
        }
    }

    /// <summary>Takes all elements of a state into a counter, for instance one from a checkpoint.</summary>
    /// <param name="id">The counter, made when there is none.</param>
    /// <param name="state">A state of the same key and precision.</param>
    /// <exception cref="ArgumentException">Another key or precision.</exception>
    public void Merge(ulong id, HyperLogLog state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.KeyId != KeyId)
            throw new ArgumentException($"keyId is {state.KeyId:x16}; allowed {KeyId:x16}, that of the table", nameof(state));
        if (state.Precision != Precision)
            throw new ArgumentException($"precision is {state.Precision}; allowed {Precision}, that of the table", nameof(state));
        int at = FindOrAdd(id);
        if (state.IsSparse)
        {
            foreach (uint token in state.Tokens)
                AddToken(at, token);
            return;
        }

        ref Entry entry = ref EntryAt(at);
        if (ClassOf(entry.Meta) != Registers)
        {
            uint single = BlockOf(entry.Meta);
            int kind = ClassOf(entry.Meta), count = CountOf(entry.Meta);
            BecomeDense(ref entry, kind == InEntry ? new ReadOnlySpan<uint>(in single)[..count] : _tokens[kind - 1].Block(single)[..count]);
        }

        Span<uint> block = _registers.Block(BlockOf(entry.Meta));
        RegisterKernels.Max(RegistersOf(block), state.Registers);
        ChangeWeightOf(block) = RegisterKernels.ChangeWeight((ReadOnlySpan<byte>)RegistersOf(block), Precision);
    }

    /// <summary>Removes a counter; its memory is for the next ones. Readers who are in the table read again.</summary>
    /// <param name="id">Any id.</param>
    /// <returns>False when there was no such counter.</returns>
    public bool Remove(ulong id)
    {
        int at = Find(id);
        if (at < 0)
            return false;
        Volatile.Write(ref _removals, _removals + 1);
        Interlocked.MemoryBarrier();
        ref Entry entry = ref EntryAt(at);
        ulong meta = entry.Meta;
        if (ClassOf(meta) != InEntry)
            (ClassOf(meta) == Registers ? _registers : _tokens[ClassOf(meta) - 1]).Return(BlockOf(meta));
        entry.Meta = Meta(Removed, 0, _freeEntry);
        _freeEntry = (uint)at + 1;
        ulong place = IdHash.Compute(_key, id);
        while (_index[place & (ulong)(_index.Length - 1)] != at + 1)
            place++;
        Volatile.Write(ref _index[place & (ulong)(_index.Length - 1)], Tombstone);
        _tombstones++;
        Volatile.Write(ref _count, _count - 1);
        Volatile.Write(ref _removals, _removals + 1);
        return true;
    }

    private static unsafe void Prefetch(ref uint word)
    {
        // Only a hint: should the array move meanwhile, the line is asked for in vain.
        if (Sse.IsSupported)
            Sse.Prefetch0(Unsafe.AsPointer(ref word));
    }

    private void PrefetchBlock(int at, ulong id, ulong hash)
    {
        if (at < 0)
            return;
        ref Entry entry = ref EntryAt(at);
        int kind = ClassOf(entry.Meta);
        if (entry.Id != id || kind == InEntry)
            return;
        Prefetch(ref kind == Registers
            ? ref Unsafe.Add(ref _registers.Origin(BlockOf(entry.Meta)), 2 + (nuint)((hash >> (64 - Precision)) / 4))
            : ref _tokens[kind - 1].Origin(BlockOf(entry.Meta)));
    }

    private bool AddTo(int at, ulong hash)
    {
        ulong meta = EntryAt(at).Meta;
        return ClassOf(meta) == Registers
            ? Raise(BlockOf(meta), (int)(hash >> (64 - Precision)), HyperLogLogToken.Rank(hash, Precision))
            : AddToken(at, HyperLogLogToken.FromHash(hash));
    }

    private bool AddToken(int at, uint token)
    {
        ref Entry entry = ref EntryAt(at);
        ulong meta = entry.Meta;
        int kind = ClassOf(meta), count = CountOf(meta);
        if (kind == Registers)
            return Raise(BlockOf(meta), HyperLogLogToken.Index(token, Precision), HyperLogLogToken.Rank(token, Precision));
        if (count == 0)
        {
            Volatile.Write(ref entry.Meta, Meta(InEntry, 1, token));
            return true;
        }

        uint single = BlockOf(meta);
        Span<uint> tokens = kind == InEntry ? MemoryMarshal.CreateSpan(ref single, 1) : _tokens[kind - 1].Block(BlockOf(meta));
        if (tokens[..count].Contains(token))
            return false;
        if (count == _maxTokens)
        {
            BecomeDense(ref entry, tokens);
            return AddToken(at, token);
        }

        if (count == tokens.Length)
        {
            uint block = _tokens[kind].Take();
            tokens.CopyTo(_tokens[kind].Block(block));
            _tokens[kind].Block(block)[count] = token;
            Leave(ref entry, Meta(kind + 1, count + 1, block));
            return true;
        }

        // First the token, then the count: who sees the count sees the token.
        tokens[count] = token;
        Volatile.Write(ref entry.Meta, Meta(kind, count + 1, BlockOf(meta)));
        return true;
    }

    private void BecomeDense(ref Entry entry, ReadOnlySpan<uint> tokens)
    {
        uint block = _registers.Take();
        ChangeWeightOf(_registers.Block(block)) = 1ul << 63;
        foreach (uint token in tokens)
            Raise(block, HyperLogLogToken.Index(token, Precision), HyperLogLogToken.Rank(token, Precision));
        Leave(ref entry, Meta(Registers, 0, block));
    }

    // The entry changes before its block is given back: a reader who was in the block finds out.
    private void Leave(ref Entry entry, ulong meta)
    {
        ulong before = entry.Meta;
        Volatile.Write(ref entry.Meta, meta);
        if (ClassOf(before) != InEntry)
            _tokens[ClassOf(before) - 1].Return(BlockOf(before));
    }

    private bool Raise(uint block, int index, int rank)
    {
        Span<uint> words = _registers.Block(block);
        ref byte register = ref RegistersOf(words)[index];
        if (register >= rank)
            return false;
        ChangeWeightOf(words) -= RegisterKernels.ChangeWeight(register, Precision) - RegisterKernels.ChangeWeight(rank, Precision);
        Volatile.Write(ref register, (byte)rank);
        return true;
    }

    private int FindOrAdd(ulong id)
    {
        int at = Find(id);
        if (at >= 0)
            return at;
        if ((_count + _tombstones + 1) * 4L > _index.Length * 3L)
            GrowIndex();
        if (_freeEntry != 0)
        {
            at = (int)_freeEntry - 1;
            _freeEntry = BlockOf(EntryAt(at).Meta);
        }
        else
        {
            at = _used;
            if (at >> ChunkShift == _entries.Length)
                Volatile.Write(ref _entries, [.. _entries, new Entry[EntriesPerChunk]]);
            Volatile.Write(ref _used, at + 1);
        }

        EntryAt(at) = new Entry { Id = id };
        Enter(_index, at, id);
        Volatile.Write(ref _count, _count + 1);
        return at;
    }

    private void Enter(uint[] index, int at, ulong id)
    {
        ulong place = IdHash.Compute(_key, id);
        while (index[place & (ulong)(index.Length - 1)] != 0)
            place++;
        // Last: who finds the entry sees its id.
        Volatile.Write(ref index[place & (ulong)(index.Length - 1)], (uint)at + 1);
    }

    // Without the tombstones; twice as large when more than half of it is counters.
    private void GrowIndex()
    {
        uint[] index = new uint[_count * 2L >= _index.Length ? _index.Length * 2 : _index.Length];
        for (int at = 0; at < _used; at++)
        {
            if (ClassOf(EntryAt(at).Meta) != Removed)
                Enter(index, at, EntryAt(at).Id);
        }

        _tombstones = 0;
        Volatile.Write(ref _index, index);
    }
}
