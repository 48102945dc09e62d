using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sketch.Sketches;

/// <summary>
/// Many blocks of one size in few arrays: taking and giving back a block allocates nothing but, now and then, the next array. One writer;
/// a reader may look into a block whose number it was given, but must find out afterwards whether the block was still its own.
/// </summary>
internal sealed class WordSlab
{
    // 64 KiB, just below what the runtime would treat as a large object; one block at least.
    private const int ChunkWords = 1 << 14;

    private readonly int _blocksPerChunk;
    private uint[][] _chunks = [];
    private int _used;
    private uint _free; // The number of the first free block + 1; the first word of a free block is the next one's.

    public WordSlab(int blockWords)
    {
        BlockWords = blockWords;
        _blocksPerChunk = Math.Max(1, ChunkWords / blockWords);
    }

    /// <summary>Words a block.</summary>
    public int BlockWords { get; }

    /// <summary>What the arrays take on a 64-bit heap, in bytes.</summary>
    public long MemoryBytes => _chunks.Length * (ArrayBytes((long)_blocksPerChunk * BlockWords * sizeof(uint)) + 8L);

    /// <summary>An array's data with its header, rounded up as the heap does.</summary>
    public static long ArrayBytes(long dataBytes) => dataBytes == 0 ? 0 : 24 + (dataBytes + 7) / 8 * 8;

    /// <summary>A block of zeros.</summary>
    public uint Take()
    {
        if (_free != 0)
        {
            uint taken = _free - 1;
            Span<uint> block = Block(taken);
            _free = block[0];
            block.Clear();
            return taken;
        }

        if (_used == _chunks.Length * _blocksPerChunk)
            Volatile.Write(ref _chunks, [.. _chunks, new uint[_blocksPerChunk * BlockWords]]);
        return (uint)_used++;
    }

    /// <summary>Gives a block back.</summary>
    public void Return(uint number)
    {
        Block(number)[0] = _free;
        _free = number + 1;
    }

    /// <summary>A block's words.</summary>
    public Span<uint> Block(uint number) => MemoryMarshal.CreateSpan(ref Origin(number), BlockWords);

    /// <summary>A block's first word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref uint Origin(uint number)
    {
        (uint chunk, uint at) = Math.DivRem(number, (uint)_blocksPerChunk);
        return ref Volatile.Read(ref _chunks)[chunk][at * (uint)BlockWords];
    }

    /// <summary>Forgets all blocks; their memory is let go.</summary>
    public void Clear()
    {
        _chunks = [];
        _used = 0;
        _free = 0;
    }
}
