using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Sketches;

/// <summary>
/// Keyed hash of a 64-bit id: two rounds of wyhash's folded 128-bit multiplication, each mixed with half of the secret.
/// About 1.5 ns. Not a cryptographic hash: keys are changed at every window, so that what can be learnt expires.
/// </summary>
/// <param name="key">The secret.</param>
internal readonly struct IdHash(SketchKey key)
{
    private const ulong Odd0 = 0xa0761d6478bd642f;
    private const ulong Odd1 = 0xe7037ed1a0b428db;

    private readonly ulong _k0 = key.K0;
    private readonly ulong _k1 = key.K1;
    private readonly ulong _factor0 = key.K1 ^ Odd0;
    private readonly ulong _factor1 = Odd1 ^ key.K0;

    /// <summary>The hash of one id.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(SketchKey key, ulong id) => new IdHash(key).Of(id);

    /// <summary>The hash of an id, one of many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Of(ulong id) => Fold(Fold(id ^ _k0, _factor0) ^ _k1, _factor1);

    /// <summary>Both halves of a product in one: what neither factor alone decides.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Fold(ulong a, ulong b)
    {
        // Two multiplications of one result each: the one of two results puts half of them on the stack.
        ulong high = Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(a, b) : Math.BigMul(a, b, out _);
        return high ^ (a * b);
    }
}
