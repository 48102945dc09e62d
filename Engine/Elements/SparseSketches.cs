using System.Buffers;
using Sketch.Sketches;

namespace Sketch.Engine.Elements;

/// <summary>What rows hold of sketches beside the registers.</summary>
internal static class SparseSketches
{
    /// <summary>The saved sketch while it is sparse, else nothing: the registers are then all of it.</summary>
    public static byte[] SavedWhileSparse(this HyperLogLog sketch)
    {
        if (!sketch.IsSparse)
        {
            return [];
        }

        ArrayBufferWriter<byte> writer = new(sketch.StateBytes);
        sketch.Save(writer);
        return writer.WrittenSpan.ToArray();
    }
}
