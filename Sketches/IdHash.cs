using System.Runtime.CompilerServices;

namespace Sketch.Sketches;

/// <summary>
/// Keyed hash of a 64-bit id: two rounds of wyhash's folded 128-bit multiplication, each mixed with half of the secret.
/// About 1.5 ns. Not a cryptographic hash: keys are changed at every window, so that what can be learnt expires.
/// </summary>
internal static class IdHash
{
    private const ulong Odd0 = 0xa0761d6478bd642f;
    private const ulong Odd1 = 0xe7037ed1a0b428db;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compute(SketchKey key, ulong id) => Fold(Fold(id ^ key.K0, key.K1 ^ Odd0) ^ key.K1, Odd1 ^ key.K0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
