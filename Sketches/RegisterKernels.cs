using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Sketch.Sketches;

/// <summary>Loops over byte registers: vectors where the machine has them, the scalar reference beside them finishes the tail.</summary>
internal static class RegisterKernels
{
    /// <summary>into[i] = max(into[i], from[i]).</summary>
    public static void Max(Span<byte> into, ReadOnlySpan<byte> from)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(from.Length, into.Length);
        int done = Vector256.IsHardwareAccelerated ? MaxVector(into, from) : 0;
        MaxScalar(into[done..], from[done..]);
    }

    internal static void MaxScalar(Span<byte> into, ReadOnlySpan<byte> from)
    {
        for (int i = 0; i < into.Length; i++)
            into[i] = Math.Max(into[i], from[i]);
    }

    private static int MaxVector(Span<byte> into, ReadOnlySpan<byte> from)
    {
        ref byte a = ref MemoryMarshal.GetReference(into);
        ref byte b = ref MemoryMarshal.GetReference(from);
        int end = into.Length & ~(Vector256<byte>.Count - 1);
        for (int i = 0; i < end; i += Vector256<byte>.Count)
            Vector256.Max(Vector256.LoadUnsafe(ref a, (nuint)i), Vector256.LoadUnsafe(ref b, (nuint)i)).StoreUnsafe(ref a, (nuint)i);
        return end;
    }

    /// <summary>Raises registers by many hashed elements; returns by how much their change weight fell.</summary>
    public static ulong Raise(Span<byte> registers, ReadOnlySpan<ulong> hashes, int precision)
    {
        ulong fell = 0;
        int shift = 64 - precision;
        ref byte first = ref MemoryMarshal.GetReference(registers);
        ArgumentOutOfRangeException.ThrowIfNotEqual(registers.Length, 1 << precision);
        foreach (ulong hash in hashes)
        {
            // The index has as many bits as the registers' number: in range by construction.
            ref byte register = ref Unsafe.Add(ref first, (nuint)(hash >> shift));
            int rank = HyperLogLogToken.Rank(hash, precision);
            if (register < rank)
            {
                fell += ChangeWeight(register, precision) - ChangeWeight(rank, precision);
                register = (byte)rank;
            }
        }

        return fell;
    }

    /// <summary>Counts the registers of each rank. Four counters a rank, so that equal neighbours do not wait for each other.</summary>
    public static void Histogram(ReadOnlySpan<byte> registers, Span<int> histogram)
    {
        Span<int> four = stackalloc int[4 * 64];
        four.Clear();
        int i = 0;
        for (; i + 4 <= registers.Length; i += 4)
        {
            four[registers[i] & 63]++;
            four[64 + (registers[i + 1] & 63)]++;
            four[128 + (registers[i + 2] & 63)]++;
            four[192 + (registers[i + 3] & 63)]++;
        }

        for (; i < registers.Length; i++)
            four[registers[i] & 63]++;
        for (int rank = 0; rank < 64; rank++)
            histogram[rank] = four[rank] + four[64 + rank] + four[128 + rank] + four[192 + rank];
    }

    /// <summary>2^-rank in units of 2^-(63 - precision); 0 for a register at its largest rank, which can grow no more.</summary>
    public static ulong ChangeWeight(int rank, int precision) => rank >= 63 - precision ? 0 : 1ul << (63 - precision - rank);

    /// <summary>The sum over all registers.</summary>
    public static ulong ChangeWeight(ReadOnlySpan<byte> registers, int precision)
    {
        ulong sum = 0;
        foreach (byte rank in registers)
            sum += ChangeWeight(rank, precision);
        return sum;
    }
}
