namespace Sketch.Engine.Reads;

/// <summary>A counter's value with what its bounds are made of. All parts are of one consistent cut.</summary>
/// <param name="Value">The value and its bounds.</param>
/// <param name="ExactPart">What of it is known exactly: the total at the last checkpoint, and what was kept exactly since.</param>
/// <param name="Sketched">What the sketches of the windows since then say of it; the truth is not above this, unless it is saturated.</param>
/// <param name="LikelyError">What the middle one of many ids that nobody added reads there.</param>
/// <param name="ErrorAtMost">What such ids read at most, at the confidence; null when nothing was sketched, or the ids are too few for the confidence.</param>
/// <param name="TextbookError">The error that a count-min sketch of the same size would have to state without looking: e times its weight a cell of a row.</param>
/// <param name="Saturated">True when a cell was full: there is no upper bound until the checkpoint.</param>
/// <param name="Windows">Windows since the last checkpoint that have a sketch.</param>
/// <param name="Sketch">The sketch of a window; null when none of them has one.</param>
/// <param name="Explanation">All of it in words.</param>
public sealed record CounterAccuracy(
    CounterValue Value,
    long ExactPart,
    long Sketched,
    long LikelyError,
    long? ErrorAtMost,
    long TextbookError,
    bool Saturated,
    int Windows,
    SketchShape? Sketch,
    string Explanation);

/// <summary>The parameters of a count-min sketch.</summary>
/// <param name="MemoryBytes">Memory of its cells.</param>
/// <param name="Width">Cells a row.</param>
/// <param name="Depth">Rows.</param>
public sealed record SketchShape(long MemoryBytes, long Width, int Depth);
