namespace Sketch.Engine.Log;

/// <summary>
/// The log's own buffers: what one thread rents another gives back, for which the shared pool, with its cache for each thread, would hold on to
/// many times more.
/// </summary>
internal sealed class BufferPool
{
    internal const int LargestBytes = 8 << 20;
    private static readonly int[] Sizes = [64 << 10, 1 << 20, LargestBytes];
    private static readonly int[] Kept = [64, 16, 4];
    private readonly Stack<byte[]>[] _free = [.. Sizes.Select(_ => new Stack<byte[]>())];
    private readonly Action<byte[]> _return;

    internal BufferPool() => _return = Return;

    /// <summary>Gives a buffer back; the same delegate each time.</summary>
    internal Action<byte[]> Returned => _return;

    /// <summary>A buffer of at least so many bytes, with whatever was in it.</summary>
    internal byte[] Rent(int bytes)
    {
        int size = 0;
        while (Sizes[size] < bytes)
        {
            size++;
        }

        lock (_free)
        {
            if (_free[size].TryPop(out byte[]? buffer))
            {
                return buffer;
            }
        }

        return GC.AllocateUninitializedArray<byte>(Sizes[size]);
    }

    private void Return(byte[] buffer)
    {
        int size = Array.IndexOf(Sizes, buffer.Length);
        lock (_free)
        {
            if (_free[size].Count < Kept[size])
            {
                _free[size].Push(buffer);
            }
        }
    }
}
