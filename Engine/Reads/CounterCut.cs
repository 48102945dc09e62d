namespace Sketch.Engine.Reads;

/// <summary>Many values as of one position of the log: a batch that adds to several of the counters is in all of them or in none.</summary>
/// <param name="AsOf">When that was: everything acknowledged before is in the values, nothing sent after.</param>
/// <param name="Values">In order of the names, null where there is no such counter.</param>
/// <param name="Heaviest">The heaviest counters of the namespace, heaviest first, as many as were asked for.</param>
public sealed record CounterCut(DateTimeOffset AsOf, IReadOnlyList<CounterValue?> Values, IReadOnlyList<CounterValue> Heaviest);
