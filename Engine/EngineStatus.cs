namespace Sketch.Engine;

/// <summary>Figures of a running engine.</summary>
/// <param name="Increments">Increments counted since the log began.</param>
/// <param name="IncrementsPerSecond">Over the last seconds.</param>
/// <param name="Position">The last position applied.</param>
/// <param name="CheckpointPosition">The last position stored exactly.</param>
/// <param name="ExactAsOf">The log time of that position.</param>
/// <param name="OpenWindows">Windows not yet stored: the open one and those closed that wait.</param>
/// <param name="Counters">Counters in the catalogue.</param>
/// <param name="TotalsBytes">Memory of exact totals and of what is known of names: of all counters, in memory or not.</param>
/// <param name="CheckpointError">The last failure to store a checkpoint, null once one went well.</param>
public sealed record EngineStatus(
    long Increments,
    double IncrementsPerSecond,
    long Position,
    long CheckpointPosition,
    DateTimeOffset ExactAsOf,
    int OpenWindows,
    long Counters,
    long TotalsBytes,
    string? CheckpointError)
{
    /// <summary>Counters whose total is in memory.</summary>
    public long HotCounters { get; init; }

    /// <summary>Idle counters that this process deleted.</summary>
    public long ExpiredCounters { get; init; }

    /// <summary>Counters that may be about to be deleted.</summary>
    public int ExpiringCounters { get; init; }

    /// <summary>Memory of approximate counters of the kind distinct: their states, and what the open window changed in them.</summary>
    public long DistinctBytes { get; init; }
}
