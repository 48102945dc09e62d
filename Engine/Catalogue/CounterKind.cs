namespace Sketch.Engine.Catalogue;

/// <summary>What a counter counts. In JSON: sum.</summary>
public enum CounterKind : byte
{
    /// <summary>The sum of int64 deltas.</summary>
    Sum = 1,
}
