using System.Buffers.Binary;
using Sketch.Sketches;

namespace Sketch.Engine.Elements;

/// <summary>
/// Turns elements into what the log, the sketches and the store hold instead: 128 bits of SipHash-1-3 under a key of the deployment. The same in every
/// log and for every counter, so that states merge; unknown outside, so that nobody can choose elements that collide.
/// </summary>
internal sealed class ElementHasher
{
    private readonly SketchKey _upper;
    private readonly SketchKey _lower;
    private readonly SketchKey _items;

    public ElementHasher(ReadOnlySpan<byte> secret)
    {
        _upper = SketchKey.Derive(secret, "distinct elements", 0, 0);
        _lower = SketchKey.Derive(secret, "distinct elements, lower half", 0, 0);
        _items = SketchKey.Derive(secret, "items of top counters", 0, 0);
        KeyId = _upper.KeyId;
    }

    /// <summary>Names the key: records and states of another one are refused.</summary>
    public ulong KeyId { get; }

    /// <summary>What elements of counters of the kind distinct are hashed with, for the upper half.</summary>
    public SketchKey DistinctKey => _upper;

    /// <summary>An element's hash; its upper half is what HyperLogLog takes.</summary>
    public UInt128 Hash(ReadOnlySpan<byte> element) =>
        new(ElementHash.Compute(_upper, element), ElementHash.Compute(_lower, element));

    /// <summary>The id of a counter's item; never zero.</summary>
    public ulong ItemId(ulong counterId, ReadOnlySpan<byte> item)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong) + EngineLimits.MaxElementBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, counterId);
        item.CopyTo(bytes[sizeof(ulong)..]);
        return Math.Max(1, ElementHash.Compute(_items, bytes[..(sizeof(ulong) + item.Length)]));
    }
}
