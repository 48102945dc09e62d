namespace Sketch.Sketches;

/// <summary>An id that may be heavy, with the bounds of its weight (both certain, not only probable).</summary>
/// <param name="Id">The id.</param>
/// <param name="Lower">Its weight is at least this.</param>
/// <param name="Upper">Its weight is at most this.</param>
public readonly record struct HeavyHitter(ulong Id, long Lower, long Upper);
