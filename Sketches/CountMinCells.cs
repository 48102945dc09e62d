using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Sketches;

/// <summary>
/// Where the four cells of an id are in a <see cref="CountMinSketch"/>, counted from its first: line A from the upper half of the hash, line B from the lower, the line from a half's
/// upper bits (there are at most 2^23 lines), the cells in it from its lowest six: independent. All four at once, since finding them is most of what an update costs.
/// </summary>
/// <param name="linesPerHalf">Lines of each half.</param>
internal readonly struct CountMinCells(uint linesPerHalf)
{
    private const int LineShift = 4; // 16 cells a line
    private const int LowerBits = 3; // of a hash's half: which of a line's first eight cells; the next as many say which of its last eight

    private readonly Vector128<uint> _lines = Vector128.Create(linesPerHalf, 0, linesPerHalf, 0);
    private readonly Vector128<uint> _from = Vector128.Create(linesPerHalf << LineShift, 0, (linesPerHalf << LineShift) + 8, 8);

    /// <summary>The places of an id's cells, two of each line.</summary>
    /// <param name="hash">Of the id, under the sketch's key.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<uint> Of(ulong hash)
    {
        Vector128<ulong> halves = Vector128.CreateScalarUnsafe(hash);
        Vector128<uint> lines = Vector128.Shuffle(Products(Vector128.Shuffle(halves.AsUInt32(), Vector128.Create(0u, 0, 1, 1))), Vector128.Create(1u, 3, 1, 3));
        Vector128<uint> inLine = Vector128.Create(hash, hash >> LowerBits).AsUInt32() & Vector128.Create((1u << LowerBits) - 1);
        return (lines << LineShift) + _from + inLine;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<uint> Products(Vector128<uint> halves) =>
        Sse2.IsSupported
            ? Sse2.Multiply(halves, _lines).AsUInt32()
            : Vector128.Create((ulong)halves[0] * _lines[0], (ulong)halves[2] * _lines[2]).AsUInt32();
}
