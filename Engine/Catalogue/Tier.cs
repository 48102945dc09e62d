namespace Sketch.Engine.Catalogue;

/// <summary>What a counter promises. In JSON: strong, eventual, approximate.</summary>
public enum Tier : byte
{
    /// <summary>Exact; acknowledged once fsynced and visible to the next read.</summary>
    Strong = 1,

    /// <summary>Exact; acknowledged once written, fsynced within 5 ms.</summary>
    Eventual = 2,

    /// <summary>The live part is estimated by sketches, with stated bounds; deltas of zero or more only.</summary>
    Approximate = 3,
}
