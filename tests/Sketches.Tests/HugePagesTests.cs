using System.Runtime.CompilerServices;
using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class HugePagesTests
{
    /// <summary>Small ones, and large ones that get pages of 2 MiB; fresh memory, and such as others left full of ones.</summary>
    [Theory]
    [InlineData(1, 64)]
    [InlineData((4 << 17) - 1, 64)]
    [InlineData(4 << 17, 2 << 20)]
    [InlineData(1_000_003, 2 << 20)]
    public void Memory_is_aligned_and_holds_zeros(int length, int alignment)
    {
        AssertAligned(length, alignment, ulong.MaxValue);
        AssertAligned(2 * length, alignment, uint.MaxValue);
    }

    private static unsafe void AssertAligned<T>(int length, int alignment, T other)
        where T : unmanaged, IEquatable<T>
    {
        for (int turn = 0; turn < 3; turn++)
        {
            T[] array = HugePages.Allocate<T>(length, 64, out int first);
            Span<T> zeros = array.AsSpan(first, length);
            Assert.Equal(0u, (nuint)Unsafe.AsPointer(ref zeros[0]) % (nuint)alignment);
            Assert.False(zeros.ContainsAnyExcept(default(T)));
            array.AsSpan().Fill(other);
            array = [];
            GC.Collect();
        }
    }
}
