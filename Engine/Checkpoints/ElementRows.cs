using Sketch.Accuracy;

namespace Sketch.Engine.Checkpoints;

/// <summary>
/// What a window did to one counter of the kind distinct: registers that it raised, elements that it added, and the whole count as of the window's end. Storing it again
/// changes nothing: registers merge by their maximum, members are a set, and the rest is what the latest position says.
/// </summary>
public sealed class DistinctRow
{
    /// <summary>The counter's namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>The counter's id.</summary>
    public required ulong Id { get; init; }

    /// <summary>The position at which the counter began or was reset; states of different generations have nothing in common.</summary>
    public required long Generation { get; init; }

    /// <summary>The last position that the state has taken in.</summary>
    public required long Position { get; init; }

    /// <summary>Indexes of the registers that the window raised, ascending.</summary>
    public required IReadOnlyList<uint> Indexes { get; init; }

    /// <summary>What it raised them to.</summary>
    public required IReadOnlyList<byte> Ranks { get; init; }

    /// <summary>Whether every element is a member: the count is exact.</summary>
    public required bool IsExact { get; init; }

    /// <summary>Elements counted exactly: all of them, or those from before the counter became approximate.</summary>
    public required long ExactCount { get; init; }

    /// <summary>Elements added since then, repeats included.</summary>
    public required long Added { get; init; }

    /// <summary>How many of these changed the state.</summary>
    public required long Changes { get; init; }

    /// <summary>How many of these were new, as expected.</summary>
    public required double NewElements { get; init; }

    /// <summary>The variance of that.</summary>
    public required double Variance { get; init; }

    /// <summary>The saved sketch while it is sparse, else empty: the registers are then all of it.</summary>
    public required ReadOnlyMemory<byte> Sketch { get; init; }

    /// <summary>128-bit hashes of the elements that the window added, when the elements are kept.</summary>
    public required IReadOnlyList<UInt128> NewMembers { get; init; }

    /// <summary>The count, as a single number.</summary>
    public long Value => ExactCount + (long)Math.Round(Math.Clamp(NewElements, Changes, Added));
}

/// <summary>The elements that a window saw of a counter of the kind distinct, whether they were new or not: states of windows merge to those of hours and days.</summary>
/// <param name="Namespace">The counter's namespace.</param>
/// <param name="Id">The counter's id.</param>
/// <param name="Generation"><inheritdoc cref="DistinctRow.Generation" path="/summary"/></param>
/// <param name="Indexes">Indexes of the registers of their HyperLogLog that are not zero.</param>
/// <param name="Ranks">Their ranks.</param>
public sealed record SeenElements(string Namespace, ulong Id, long Generation, IReadOnlyList<uint> Indexes, IReadOnlyList<byte> Ranks);

/// <summary>The elements that a counter of the kind distinct saw in one step of time.</summary>
/// <param name="Start">Start of the step.</param>
/// <param name="Indexes">Indexes of the registers of their HyperLogLog that are not zero.</param>
/// <param name="Ranks">Their ranks.</param>
#pragma warning disable CA1819 // Handed over.
public sealed record SeenPoint(DateTimeOffset Start, uint[] Indexes, byte[] Ranks);
#pragma warning restore CA1819

/// <summary>How many different elements a counter of the kind distinct saw in one step of time.</summary>
/// <param name="Start">Start of the step.</param>
/// <param name="Count">How many, with bounds.</param>
public readonly record struct DistinctPoint(DateTimeOffset Start, Estimate Count);

/// <summary>A counter of the kind distinct as the store knows it.</summary>
/// <param name="Id">The counter's id.</param>
/// <param name="Generation"><inheritdoc cref="DistinctRow.Generation" path="/summary"/></param>
/// <param name="Position"><inheritdoc cref="DistinctRow.Position" path="/summary"/></param>
/// <param name="Indexes">Indexes of all registers that are not zero.</param>
/// <param name="Ranks">Their ranks.</param>
/// <param name="IsExact"><inheritdoc cref="DistinctRow.IsExact" path="/summary"/></param>
/// <param name="ExactCount"><inheritdoc cref="DistinctRow.ExactCount" path="/summary"/></param>
/// <param name="Added"><inheritdoc cref="DistinctRow.Added" path="/summary"/></param>
/// <param name="Changes"><inheritdoc cref="DistinctRow.Changes" path="/summary"/></param>
/// <param name="NewElements"><inheritdoc cref="DistinctRow.NewElements" path="/summary"/></param>
/// <param name="Variance"><inheritdoc cref="DistinctRow.Variance" path="/summary"/></param>
/// <param name="Sketch"><inheritdoc cref="DistinctRow.Sketch" path="/summary"/></param>
#pragma warning disable CA1819 // Read once at start and handed over.
public sealed record StoredDistinct(
    ulong Id, long Generation, long Position, uint[] Indexes, byte[] Ranks, bool IsExact, long ExactCount, long Added, long Changes,
    double NewElements, double Variance, byte[] Sketch);
#pragma warning restore CA1819

/// <summary>An element that a counter of the kind distinct keeps.</summary>
/// <param name="Id">The counter's id.</param>
/// <param name="Generation"><inheritdoc cref="DistinctRow.Generation" path="/summary"/></param>
/// <param name="Member">The element's 128-bit hash.</param>
public readonly record struct StoredMember(ulong Id, long Generation, UInt128 Member);

/// <summary>The exact sum of one item of a counter of the kind top in a window.</summary>
/// <param name="Namespace">The counter's namespace.</param>
/// <param name="Id">The counter's id.</param>
/// <param name="Generation"><inheritdoc cref="DistinctRow.Generation" path="/summary"/></param>
/// <param name="Item">The item.</param>
/// <param name="ItemId">Its keyed hash with the counter's id.</param>
/// <param name="Delta">The sum.</param>
public readonly record struct ItemRow(string Namespace, ulong Id, long Generation, string Item, ulong ItemId, long Delta);

/// <summary>An item of a counter of the kind top as the store knows it.</summary>
/// <param name="Id">The counter's id.</param>
/// <param name="Generation"><inheritdoc cref="DistinctRow.Generation" path="/summary"/></param>
/// <param name="Item">The item.</param>
/// <param name="Value">Its exact total.</param>
public readonly record struct StoredItem(ulong Id, long Generation, string Item, long Value);
