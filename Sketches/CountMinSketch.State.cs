using System.Buffers;

namespace Sketch.Sketches;

/// <content>Saved states: docs/formats/sketches.md.</content>
public sealed partial class CountMinSketch
{
    private const byte SaturatedFlag = 1;

    /// <summary>How many bytes <see cref="Save"/> writes.</summary>
    public int StateBytes => StateHeader.HeaderBytes + (int)MemoryBytes + StateHeader.ChecksumBytes;

    /// <summary>Writes the state. The sketch must not be written meanwhile; the key is not in it, only its id.</summary>
    /// <param name="writer">Receives <see cref="StateBytes"/> bytes.</param>
    public void Save(IBufferWriter<byte> writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        StateHeader header = new(
            StateKind.CountMin, Saturated ? SaturatedFlag : (byte)0, Depth, KeyId, (ulong)MemoryBytes, TotalWeight, 0, (int)MemoryBytes);
        Span<byte> state = header.Begin(writer);
        StateHeader.WriteWords(Cells, state[StateHeader.HeaderBytes..^StateHeader.ChecksumBytes]);
        StateHeader.End(writer, state);
    }

    /// <summary>Reads a state.</summary>
    /// <param name="state">What <see cref="Save"/> wrote; anything else is refused.</param>
    /// <param name="key">The key that the sketch had.</param>
    /// <param name="maxMemoryBytes">A state that would take more is refused before anything is allocated.</param>
    /// <exception cref="InvalidDataException">Not such a state, damaged, of another key, or too large.</exception>
    public static CountMinSketch Load(ReadOnlySpan<byte> state, SketchKey key, long maxMemoryBytes = MaxMemoryBytes)
    {
        StateHeader header = StateHeader.Read(state, StateKind.CountMin, out ReadOnlySpan<byte> payload);
        header.RequireKey(key.KeyId);
        header.RequireFlags(SaturatedFlag);
        long limit = Math.Min(maxMemoryBytes, MaxMemoryBytes);
        if (header.Parameter is < MinMemoryBytes || header.Parameter > (ulong)limit || header.Parameter % (2 * BytesPerLine) != 0)
            throw new InvalidDataException($"memoryBytes is {header.Parameter}; allowed {MinMemoryBytes} to {limit} in steps of {2 * BytesPerLine}");
        if (header.Shape != Depth || header.Second != 0)
            throw new InvalidDataException($"depth is {header.Shape} and the reserved field {header.Second}; allowed {Depth} and 0");
        header.RequirePayload((long)header.Parameter);

        CountMinSketch sketch = new((long)header.Parameter, key) { _totalWeight = header.First, _saturated = header.Flags != 0 };
        StateHeader.ReadWords(payload, sketch.Cells);
        return sketch;
    }
}
