using System.Buffers;
using System.Runtime.InteropServices;
using Sketch.Storage.Embedded.Http;

namespace Sketch.Tests.Storage;

/// <summary>The memory of connections: a block has one owner.</summary>
public sealed class ReceiveBuffersTests
{
    [Fact]
    public void A_block_is_one_owners_until_it_is_disposed_and_is_kept_once()
    {
        using ReceiveBuffers buffers = new(blockBytes: 4_096, maxKept: 8);
        IMemoryOwner<byte> first = buffers.Rent();
        first.Dispose();
        first.Dispose();
        using IMemoryOwner<byte> again = buffers.Rent();
        using IMemoryOwner<byte> other = buffers.Rent();
        Assert.Equal(4_096, again.Memory.Length);
        Assert.NotSame(Bytes(again), Bytes(other));
    }

    [Fact]
    public void More_than_a_block_is_refused()
    {
        using ReceiveBuffers buffers = new(blockBytes: 4_096, maxKept: 8);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffers.Rent(4_097));
    }

    private static byte[] Bytes(IMemoryOwner<byte> block) =>
        MemoryMarshal.TryGetArray<byte>(block.Memory, out ArraySegment<byte> segment) ? segment.Array! : [];
}
