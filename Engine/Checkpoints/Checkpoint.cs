using System.Collections.Frozen;
using Sketch.Engine.Log;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// The exact content of one closed window: a pure function of the log, so that a retry, a replay and a replica make the same bytes.
/// Rows are ordered by (namespace, id), names by (namespace, name).
/// </summary>
public sealed class Checkpoint
{
    /// <summary>The log the window was cut from.</summary>
    public required LogIdentity Log { get; init; }

    /// <summary>The window's first position.</summary>
    public required long From { get; init; }

    /// <summary>The window's last position, included.</summary>
    public required long To { get; init; }

    /// <summary>Log time of the first record, milliseconds since 1970. A window lies within one hour (UTC).</summary>
    public required long FirstTimeMs { get; init; }

    /// <summary>Log time of the last record, milliseconds since 1970.</summary>
    public required long LastTimeMs { get; init; }

    /// <summary>How many increments the window holds (duplicates not counted).</summary>
    public required long Increments { get; init; }

    /// <summary>Exact deltas, one row a counter, ordered by (namespace, id).</summary>
    public required DeltaColumns Deltas { get; init; }

    /// <summary>Counters first named, or defined anew, in this window.</summary>
    public required IReadOnlyList<NamedCounter> Names { get; init; }

    /// <summary>Counters of the kind distinct that the window changed, ordered by (namespace, id).</summary>
    public IReadOnlyList<DistinctRow> Distincts { get; init; } = [];

    /// <summary>What the window saw of the elements of each counter of the kind distinct, known ones included, ordered by (namespace, id).</summary>
    public IReadOnlyList<SeenElements> Seen { get; init; } = [];

    /// <summary>Exact sums of items of counters of the kind top, ordered by (namespace, id, item).</summary>
    public IReadOnlyList<ItemRow> Items { get; init; } = [];

    /// <summary>By namespace, for how many days its history is kept; those that are not here keep theirs for 30.</summary>
    public IReadOnlyDictionary<string, int> RetentionDays { get; init; } = FrozenDictionary<string, int>.Empty;

    /// <summary>The same window with other rows.</summary>
    internal Checkpoint With(DeltaColumns deltas, IReadOnlyList<DistinctRow> distincts) => new()
    {
        Log = Log,
        From = From,
        To = To,
        FirstTimeMs = FirstTimeMs,
        LastTimeMs = LastTimeMs,
        Increments = Increments,
        Deltas = deltas,
        Names = Names,
        Distincts = distincts,
        Seen = Seen,
        Items = Items,
        RetentionDays = RetentionDays,
    };
}

/// <summary>One counter's sum in a window.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Id">Its id.</param>
/// <param name="Delta">The exact sum of its increments in the window.</param>
public readonly record struct DeltaRow(string Namespace, ulong Id, long Delta);

/// <summary>A counter's entry in the catalogue.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its id.</param>
/// <param name="Kind">sum, distinct or top.</param>
/// <param name="Tier">strong, eventual or approximate.</param>
/// <param name="Labels">Labels, by name.</param>
public sealed record NamedCounter(string Namespace, string Name, ulong Id, string Kind, string Tier, IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>The position at which it was defined first or reset last; zero when it never was. States of other generations are not its own.</summary>
    public long Generation { get; init; }

    /// <summary>Whether the counter was deleted.</summary>
    public bool Deleted { get; init; }
}
