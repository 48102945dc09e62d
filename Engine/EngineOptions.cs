namespace Sketch.Engine;

/// <summary>What an operator chooses for the engine.</summary>
public sealed record EngineOptions
{
    /// <summary>Where the engine keeps its snapshots and secret.</summary>
    public required string DataFolder { get; init; }

    /// <summary>How long a window stays open before it is cut, 1 to 3,600 seconds.</summary>
    public int WindowSeconds { get; init; } = 5;

    /// <summary>How often closed windows are checkpointed, 1 to 3,600 seconds; several closed windows may wait for one.</summary>
    public int CheckpointEverySeconds { get; init; } = 1;

    /// <summary>Memory of an open window's count-min sketch, in bytes, 4 KiB to 1 GiB.</summary>
    public long SketchMemoryBytes { get; init; } = 16 << 20;

    /// <summary>Increments that wait for the log before callers are told to come back, in batches.</summary>
    public int MaxQueuedBatches { get; init; } = 4_096;
}
