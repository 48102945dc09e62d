using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Sketch.Sketches;

namespace Sketch.Engine.Totals;

/// <summary>
/// Turns ids into numbers that nobody outside can steer, one to one: the upper bits choose a part of the table, the rest a place in it. Keyed by the deployment's secret
/// and not by the process, so that what is put out of memory is the same in every run.
/// </summary>
internal readonly struct IdMixer
{
    private readonly ulong _xor;
    private readonly ulong _factor;
    private readonly ulong _inverse;

    /// <param name="secret">The deployment's secret.</param>
    public IdMixer(byte[] secret)
    {
        SketchKey key = SketchKey.Derive(secret, "places of counters", 0, 0);
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        _xor = ElementHash.Compute(key, bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, 1);
        _factor = ElementHash.Compute(key, bytes) | 1;
        // Newton: each step doubles the bits that are right, and an odd number is its own inverse in three.
        _inverse = _factor;
        for (int bits = 3; bits < 64; bits *= 2)
        {
            _inverse *= 2 - (_factor * _inverse);
        }
    }

    /// <summary>An id's number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Mix(ulong id) => (id ^ _xor) * _factor;

    /// <summary>The id of a number.</summary>
    public ulong Unmix(ulong mixed) => (mixed * _inverse) ^ _xor;
}
