using Sketch.Tests.Sketches;

namespace Sketch.Bench.Sketches;

/// <summary>Count-min as in the paper and most libraries: four rows of 64-bit counters, one hash a row, every cell increased.</summary>
internal sealed class TextbookCountMin
{
    private const int Rows = 4;

    private readonly long[] _cells;
    private readonly uint _width;

    public TextbookCountMin(long memoryBytes)
    {
        _width = (uint)(memoryBytes / (Rows * sizeof(long)));
        _cells = new long[_width * Rows];
    }

    public void Clear() => Array.Clear(_cells);

    public void Add(ulong id, long delta)
    {
        for (uint row = 0; row < Rows; row++)
            _cells[Cell(id, row)] += delta;
    }

    public long Estimate(ulong id)
    {
        long smallest = long.MaxValue;
        for (uint row = 0; row < Rows; row++)
            smallest = Math.Min(smallest, _cells[Cell(id, row)]);
        return smallest;
    }

    private long Cell(ulong id, uint row) =>
        row * (long)_width + (long)((Streams.Id(id + row * 0x9e3779b97f4a7c15) >> 32) * _width >> 32);
}
