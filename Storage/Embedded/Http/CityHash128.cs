using System.Buffers.Binary;
using System.Numerics;

namespace Sketch.Storage.Embedded.Http;

/// <summary>
/// CityHash128 as of its version 1.0.2 (Geoff Pike, Jyrki Alakuijala, 2011): the checksum of ClickHouse's compressed frames. Later versions of CityHash give other
/// numbers; the tests hold values that agree with the engine's own files.
/// </summary>
internal static class CityHash128
{
    private const ulong K0 = 0xC3A5_C85C_97CB_3127;
    private const ulong K1 = 0xB492_B66F_BE98_F273;
    private const ulong K2 = 0x9AE1_6A3B_2F90_404F;
    private const ulong K3 = 0xC949_D7C7_509E_6557;
    private const ulong Mul = 0x9DDF_EA08_EB38_2D69;

    /// <summary>The hash of bytes: its lower and its upper half.</summary>
    public static (ulong Low, ulong High) Compute(ReadOnlySpan<byte> s) => s.Length switch
    {
        >= 16 => WithSeed(s[16..], At(s, 0) ^ K3, At(s, 8)),
        >= 8 => WithSeed([], At(s, 0) ^ ((ulong)s.Length * K0), At(s, s.Length - 8) ^ K1),
        _ => WithSeed(s, K0, K1),
    };

    private static (ulong Low, ulong High) WithSeed(ReadOnlySpan<byte> s, ulong low, ulong high)
    {
        if (s.Length < 128)
        {
            return Murmur(s, low, high);
        }

        (ulong x, ulong y, ulong z) = (low, high, (ulong)s.Length * K1);
        ulong v0 = (BitOperations.RotateRight(y ^ K1, 49) * K1) + At(s, 0);
        ulong v1 = (BitOperations.RotateRight(v0, 42) * K1) + At(s, 8);
        ulong w0 = (BitOperations.RotateRight(y + z, 35) * K1) + x;
        ulong w1 = BitOperations.RotateRight(x + At(s, 88), 53) * K1;
        int at = 0;
        int left = s.Length;
        for (; left >= 128; left -= 128)
        {
            for (int half = 0; half < 2; half++, at += 64)
            {
                x = BitOperations.RotateRight(x + y + v0 + At(s, at + 16), 37) * K1;
                y = BitOperations.RotateRight(y + v1 + At(s, at + 48), 42) * K1;
                x ^= w1;
                y ^= v0;
                z = BitOperations.RotateRight(z ^ w0, 33);
                (v0, v1) = Weak(s[at..], v1 * K1, x + w0);
                (w0, w1) = Weak(s[(at + 32)..], z + w1, y);
                (z, x) = (x, z);
            }
        }

        y += (BitOperations.RotateRight(w0, 37) * K0) + z;
        x += BitOperations.RotateRight(v0 + z, 49) * K0;
        for (int done = 0; done < left;)
        {
            done += 32;
            y = (BitOperations.RotateRight(y - x, 42) * K0) + v1;
            w0 += At(s, at + left - done + 16);
            x = (BitOperations.RotateRight(x, 49) * K0) + w0;
            w0 += v0;
            (v0, v1) = Weak(s[(at + left - done)..], v0, v1);
        }

        x = Hash16(x, v0);
        y = Hash16(y, w0);
        return (Hash16(x + v1, w1) + y, Hash16(x + w1, y + v1));
    }

    private static (ulong Low, ulong High) Murmur(ReadOnlySpan<byte> s, ulong a, ulong b)
    {
        ulong c;
        ulong d;
        if (s.Length <= 16)
        {
            a = Shift(a * K1) * K1;
            c = (b * K1) + Short(s);
            d = Shift(a + (s.Length >= 8 ? At(s, 0) : c));
        }
        else
        {
            c = Hash16(At(s, s.Length - 8) + K1, a);
            d = Hash16(b + (ulong)s.Length, c + At(s, s.Length - 16));
            a += d;
            for (int at = 0; at < s.Length - 16; at += 16)
            {
                a ^= Shift(At(s, at) * K1) * K1;
                a *= K1;
                b ^= a;
                c ^= Shift(At(s, at + 8) * K1) * K1;
                c *= K1;
                d ^= c;
            }
        }

        a = Hash16(a, c);
        b = Hash16(d, b);
        return (a ^ b, Hash16(b, a));
    }

    private static ulong Short(ReadOnlySpan<byte> s)
    {
        int n = s.Length;
        if (n > 8)
        {
            ulong last = At(s, n - 8);
            return Hash16(At(s, 0), BitOperations.RotateRight(last + (ulong)n, n)) ^ last;
        }

        if (n >= 4)
        {
            return Hash16((ulong)n + ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(s) << 3), BinaryPrimitives.ReadUInt32LittleEndian(s[(n - 4)..]));
        }

        if (n == 0)
        {
            return K2;
        }

        ulong y = s[0] + ((ulong)s[n >> 1] << 8);
        ulong z = (ulong)n + ((ulong)s[n - 1] << 2);
        return Shift((y * K2) ^ (z * K3)) * K2;
    }

    private static (ulong A, ulong B) Weak(ReadOnlySpan<byte> s, ulong a, ulong b)
    {
        a += At(s, 0);
        b = BitOperations.RotateRight(b + a + At(s, 24), 21);
        ulong c = a;
        a += At(s, 8) + At(s, 16);
        b += BitOperations.RotateRight(a, 44);
        return (a + At(s, 24), b + c);
    }

    private static ulong Hash16(ulong u, ulong v)
    {
        ulong a = Shift((u ^ v) * Mul);
        return Shift((v ^ a) * Mul) * Mul;
    }

    private static ulong Shift(ulong x) => x ^ (x >> 47);

    private static ulong At(ReadOnlySpan<byte> s, int at) => BinaryPrimitives.ReadUInt64LittleEndian(s[at..]);
}
