using Sketch.Sketches;

namespace Sketch.Engine.Catalogue;

/// <summary>
/// The second, independent hash of a name, by which the catalogue tells two names on one id apart without keeping either. Keyed by the deployment's secret: who finds two
/// names with one id (that hash has no key) still can't tell which of them pass for each other here.
/// </summary>
internal sealed class NameHash(byte[] secret)
{
    private readonly SketchKey _key = SketchKey.Derive(secret, "names of counters", 0, 0);

    /// <summary>40 bits, never zero.</summary>
    public long Of(ReadOnlySpan<byte> nameUtf8) => ((long)ElementHash.Compute(_key, nameUtf8) & NameEntry.HashMask) | 1;
}
