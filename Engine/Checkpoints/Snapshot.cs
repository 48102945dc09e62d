using System.Text.Json.Serialization;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// The fold as it is right after a window: definitions and what each producer has sent. With it, the log before the window's end may go. JSON with a checksum,
/// small: totals and names are in the store.
/// </summary>
internal sealed record Snapshot
{
    /// <summary>The version written.</summary>
    public const int CurrentVersion = 3;

    /// <summary>The oldest version read: it knows of no expiring counters.</summary>
    public const int OldestVersion = 2;

    public required int Version { get; init; }

    public required ulong Incarnation { get; init; }

    public required int LogNumber { get; init; }

    /// <summary>The last position taken in.</summary>
    public required long Position { get; init; }

    public required long TimeMs { get; init; }

    public required long LastTierChange { get; init; }

    public required IReadOnlyList<DefinitionRecord> Definitions { get; init; }

    /// <summary>By namespace number.</summary>
    public required IReadOnlyList<long> Weights { get; init; }

    /// <summary>Ids and positions of deletions, in turn, that batches on their way may not know of.</summary>
    public IReadOnlyList<ulong> Removed { get; init; } = [];

    /// <summary>The same of counters that were made again since.</summary>
    public IReadOnlyList<ulong>? RemovedBefore { get; init; }

    /// <summary><inheritdoc cref="LogFold.ForgottenRemovals" path="/summary"/></summary>
    public long ForgottenRemovals { get; init; }

    /// <summary>Counters that may be about to go; null for none.</summary>
    public ExpiringSnapshot? Expiring { get; init; }

    public required IReadOnlyList<ProducerSnapshot> Producers { get; init; }

    public static Snapshot Of(LogFold fold, LogIdentity log, long position, long timeMs) => new()
    {
        Version = CurrentVersion,
        Incarnation = log.Incarnation,
        LogNumber = log.Number,
        Position = position,
        TimeMs = timeMs,
        LastTierChange = fold.LastTierChange,
        Definitions = new FoldDefinitions(fold),
        Weights = [.. fold.Namespaces.Select(n => n.Weight)],
        Removed = [.. fold.Removed.SelectMany(r => new[] { r.Key, (ulong)r.Value })],
        RemovedBefore = [.. fold.RemovedBefore.SelectMany(r => new[] { r.Key, (ulong)r.Value })],
        ForgottenRemovals = fold.ForgottenRemovals,
        Expiring = fold.Expiring.Names.Count == 0 ? null : new(fold.Expiring.Position, fold.Expiring.Namespace, [.. fold.Expiring.Names.Values]),
        Producers =
        [
            .. fold.Producers.All.Select(p => new ProducerSnapshot(
                p.Key.ToString("x32", null), p.Value.LastPosition, p.Value.LastTimeMs,
                [.. p.Value.Remembered.SelectMany(r => new[] { r.Sequence, r.Position, r.Contents })])),
        ],
    };

    /// <summary>A fold that goes on from here.</summary>
    public LogFold ToFold()
    {
        LogFold fold = new();
        fold.Restore(Position, LastTierChange, Definitions, Weights);
        fold.RestoreRemovals(Removed, RemovedBefore ?? [], ForgottenRemovals);
        if (Expiring is { } expiring)
        {
            fold.Expiring.Begin(expiring.Position, expiring.Namespace, expiring.Names);
        }

        foreach (ProducerSnapshot producer in Producers)
        {
            ProducerTable.Producer state = new();
            for (int i = 0; i < producer.Remembered.Length; i += 3)
            {
                state.Remember(producer.Remembered[i], producer.Remembered[i + 1], (uint)producer.Remembered[i + 2]);
            }

            state.LastPosition = producer.LastPosition;
            state.LastTimeMs = producer.LastTimeMs;
            fold.Producers.Restore(UInt128.Parse(producer.Producer, System.Globalization.NumberStyles.HexNumber, null), state);
        }

        return fold;
    }
}

/// <summary>What is left of the last expiring record: its position, whose counters, their names.</summary>
internal sealed record ExpiringSnapshot(long Position, string Namespace, IReadOnlyList<string> Names);

/// <summary>One producer in a snapshot: sequences, positions and numbers of contents in turn.</summary>
internal sealed record ProducerSnapshot(string Producer, long LastPosition, long LastTimeMs, long[] Remembered);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Snapshot))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
