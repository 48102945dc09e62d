using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Sketch.Storage.Embedded.Http;

/// <summary>
/// Memory of a server's connections, in blocks that hold what a read should bring. Kestrel's own blocks have 4 KiB: it calls the kernel once for each, and wakes the
/// reader of the body each time. A connection that says nothing holds no block.
/// </summary>
/// <param name="blockBytes">The size of a block, and the most that one read of a connection takes.</param>
/// <param name="maxKept">How many free blocks a busy moment leaves behind.</param>
public sealed class ReceiveBuffers(int blockBytes, int maxKept) : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private readonly ConcurrentQueue<Block> _free = new();

    /// <inheritdoc/>
    public override int MaxBufferSize => blockBytes;

    /// <inheritdoc/>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, blockBytes);
        Block block = _free.TryDequeue(out Block? kept) ? kept : new Block(this);
        block.Rented();
        return block;
    }

    /// <summary>Nothing: the blocks go with the process, whichever of its owners is disposed first.</summary>
    protected override void Dispose(bool disposing)
    {
    }

    private void Keep(Block block)
    {
        if (_free.Count < maxKept)
            _free.Enqueue(block);
    }

    /// <summary>One block; once who rented it disposes it, it is free for the next.</summary>
    private sealed class Block(ReceiveBuffers owner) : IMemoryOwner<byte>
    {
        private int _isRented;

        /// <summary>All of its bytes: pinned, so that the kernel writes into them, and with whatever the last connection left.</summary>
        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(owner.MaxBufferSize, pinned: true), 0, owner.MaxBufferSize);

        /// <summary>Marks it as somebody's.</summary>
        public void Rented() => Volatile.Write(ref _isRented, 1);

        /// <summary>Gives it back; not to be used after that. A second time does nothing: no two connections ever share a block.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isRented, 0) != 0)
                owner.Keep(this);
        }
    }
}
