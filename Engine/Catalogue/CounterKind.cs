namespace Sketch.Engine.Catalogue;

/// <summary>What a counter counts. In JSON: sum, distinct, top.</summary>
public enum CounterKind : byte
{
    /// <summary>The sum of int64 deltas.</summary>
    Sum = 1,

    /// <summary>How many different elements were added.</summary>
    Distinct = 2,

    /// <summary>Items with their sums, of which the largest are asked for; the counter's own value is the sum of all.</summary>
    Top = 3,
}
