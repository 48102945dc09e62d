using Sketch.Engine.Catalogue;

namespace Sketch.Engine.Fold;

/// <summary>A namespace as the log defines it. The fold writes; anyone may read.</summary>
internal sealed class NamespaceState(int index, NamespaceDefinition definition)
{
    private NamespaceDefinition _definition = definition;
    private long _approximateUntil;
    private long _weight;

    /// <summary>Its number: the order in which namespaces were defined.</summary>
    public ushort Index { get; } = (ushort)index;

    /// <summary>"name:" in UTF-8, what ids are hashed with.</summary>
    public byte[] IdPrefix { get; } = System.Text.Encoding.UTF8.GetBytes(definition.Name + ":");

    public NamespaceDefinition Definition => Volatile.Read(ref _definition);

    /// <summary>The last position at which its counters became something else than approximate; windows that began before may hold sketched increments.</summary>
    public long ApproximateUntil => Volatile.Read(ref _approximateUntil);

    /// <summary>The sum of the sizes of all deltas ever counted; while it stays below 2^62 no total can overflow.</summary>
    public long Weight
    {
        get => Volatile.Read(ref _weight);
        set => Volatile.Write(ref _weight, value);
    }

    /// <summary>Takes a new definition; true when the tier changed.</summary>
    public bool Redefine(NamespaceDefinition definition, long position)
    {
        bool changed = Definition.Tier != definition.Tier;
        if (changed && Definition.Tier == Tier.Approximate)
        {
            Volatile.Write(ref _approximateUntil, position);
        }

        Volatile.Write(ref _definition, definition);
        return changed;
    }
}
