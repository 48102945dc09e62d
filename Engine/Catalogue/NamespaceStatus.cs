namespace Sketch.Engine.Catalogue;

/// <summary>A namespace and how full it is.</summary>
/// <param name="Definition">As its owner defined it.</param>
/// <param name="Counters">How many counters it holds.</param>
public sealed record NamespaceStatus(NamespaceDefinition Definition, long Counters);
