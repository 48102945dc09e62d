using Sketch.Engine.Catalogue;
using Sketch.Engine.Log;
using Sketch.Sketches;

namespace Sketch.Engine;

/// <summary>What an operator chooses for the engine.</summary>
public sealed record EngineOptions
{
    /// <summary>Where the engine keeps its snapshot and secret, in a folder of its own.</summary>
    public required string DataFolder { get; init; }

    /// <summary>How long a window stays open before it is cut, 1 to 3,600 seconds; up to six times as long while the store takes long.</summary>
    public int WindowSeconds { get; init; } = 5;

    /// <summary>How long to wait between checkpoints, 1 to 3,600 seconds; several closed windows may wait for one.</summary>
    public int CheckpointEverySeconds { get; init; } = 1;

    /// <summary>Memory of an open window's count-min sketch, in bytes, 4 KiB to 1 GiB.</summary>
    public long SketchMemoryBytes { get; init; } = 16 << 20;

    /// <summary>
    /// Memory of counters whose totals are at hand, in bytes, 0 to 1 TiB. Others take 10 bytes each, and their totals are read from the store. Counters that have a definition,
    /// are among the heaviest, or are not stored yet stay in memory whatever this says.
    /// </summary>
    public long TotalsMemoryBytes { get; init; } = 352L << 20;

    /// <summary>How many of the heaviest counters of a namespace are kept at hand.</summary>
    internal int HeaviestKept { get; init; } = 1_024;

    /// <summary>
    /// Of an open window so many increments are added up at a time: few enough that the system still has what was written of them in its cache, many enough that a look into the log is
    /// nothing beside them.
    /// </summary>
    internal long AddedAtOnce { get; init; } = 1_000_000;

    /// <summary>How often idle counters are looked for.</summary>
    internal TimeSpan ExpireEvery { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Of about so many counters the store is asked at once who is idle, at most twice as many.</summary>
    internal int IdleAskedAtOnce { get; init; } = 1 << 19;

    /// <summary>For how long a counter of a namespace stays that nobody increments.</summary>
    internal Func<NamespaceDefinition, TimeSpan> Lifetime { get; init; } = static definition => TimeSpan.FromDays(definition.LifetimeDays);

    /// <summary>Is told how far the engine is while it opens.</summary>
    public OpeningProgress Progress { get; init; } = new();

    /// <summary>The disk beneath snapshot and secret.</summary>
    public ILogDisk Disk { get; init; } = new LinuxDisk();

    /// <summary>Refuses what is out of range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the option, its value and what is allowed.</exception>
    public void Validate()
    {
        Require(WindowSeconds, 1, 3_600, nameof(WindowSeconds));
        Require(CheckpointEverySeconds, 1, 3_600, nameof(CheckpointEverySeconds));
        Require(TotalsMemoryBytes, 0, 1L << 40, nameof(TotalsMemoryBytes));
        Require(SketchMemoryBytes, CountMinSketch.MinMemoryBytes, CountMinSketch.MaxMemoryBytes, nameof(SketchMemoryBytes));
    }

    private static void Require(long value, long least, long most, string name)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; allowed: {least} to {most}");
        }
    }
}
