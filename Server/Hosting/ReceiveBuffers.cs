using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Sketch.Server.Hosting;

/// <summary>
/// Memory of the connections, in blocks that a whole batch fits into. The server's own blocks have 4 KiB: it calls the kernel once for each, and wakes the
/// reader of the body each time. A connection that says nothing holds no block.
/// </summary>
internal sealed class ReceiveBuffers : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BlockBytes = 64 << 10;

    // What a busy moment left behind is let go beyond 16 MiB.
    private const int MaxKept = 256;
    private readonly ConcurrentQueue<Block> _free = new();

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <inheritdoc/>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        return _free.TryDequeue(out Block? kept) ? kept : new Block(this);
    }

    /// <summary>Nothing: the blocks go with the process, whichever of its owners is disposed first.</summary>
    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(ReceiveBuffers owner) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true), 0, BlockBytes);

        public void Dispose()
        {
            if (owner._free.Count < MaxKept)
                owner._free.Enqueue(this);
        }
    }
}
