using Sketch.Engine.Catalogue;

namespace Sketch.Engine.Fold;

/// <summary>A counter that has a definition of its own. The fold writes; anyone may read.</summary>
internal sealed class CounterState(NamespaceState owner, CounterDefinition definition, long generation)
{
    private CounterDefinition _definition = definition;
    private long _approximateUntil;

    private long _generation = generation;

    public NamespaceState Owner { get; } = owner;

    public CounterDefinition Definition => Volatile.Read(ref _definition);

    public CounterKind Kind => Definition.Kind;

    /// <summary>The position at which it was defined first or reset last: what came before does not count.</summary>
    public long Generation => Volatile.Read(ref _generation);

    public Tier Tier => Definition.Tier ?? Owner.Definition.Tier;

    /// <inheritdoc cref="NamespaceState.ApproximateUntil"/>
    public long ApproximateUntil => Math.Max(Volatile.Read(ref _approximateUntil), Owner.ApproximateUntil);

    /// <summary>The counter was incremented as an approximate one until now, and no longer is.</summary>
    public void LeaveApproximate(long position) => Volatile.Write(ref _approximateUntil, position);

    public void BeginAgain(long position) => Volatile.Write(ref _generation, position);

    public void Redefine(CounterDefinition definition) => Volatile.Write(ref _definition, definition);
}
