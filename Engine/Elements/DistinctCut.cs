namespace Sketch.Engine.Elements;

/// <summary>
/// A counter of the kind distinct as memory has it, with what came after the last checkpoint told apart: what the store holds and what came after make what
/// memory has.
/// </summary>
/// <param name="Generation">The position at which the counter began, or was reset.</param>
/// <param name="IsExact">Whether it keeps its elements.</param>
/// <param name="Members">The elements' hashes that were there at the checkpoint; empty when they are not kept.</param>
/// <param name="Registers">All registers that are not zero, now, by index.</param>
/// <param name="Raised">Those that were raised after the checkpoint, and to what.</param>
/// <param name="Value">The count now, as a single number.</param>
/// <param name="IsTouched">Whether anything came after the checkpoint.</param>
public sealed record DistinctCut(
    long Generation, bool IsExact, IReadOnlySet<UInt128> Members, IReadOnlyDictionary<uint, byte> Registers, IReadOnlyDictionary<uint, byte> Raised, long Value,
    bool IsTouched);

/// <summary>The items of a counter of the kind top as memory has them at the last checkpoint.</summary>
/// <param name="Generation">The position at which the counter began, or was reset.</param>
/// <param name="Floor">The most that an item which is not here has.</param>
/// <param name="Items">For each item its least and its most total.</param>
public sealed record ItemsCut(long Generation, long Floor, IReadOnlyDictionary<string, (long Least, long Most)> Items);

/// <summary>A copy of a state.</summary>
/// <param name="IsExact">Whether elements are kept.</param>
/// <param name="Members">Their hashes.</param>
/// <param name="Registers">Registers that are not zero.</param>
/// <param name="Value">The count.</param>
/// <param name="IsTouched">Whether the open window changed it.</param>
/// <param name="NewMembers">Elements that the open window added.</param>
/// <param name="Raised">Registers that it raised.</param>
internal sealed record HeldDistinct(
    bool IsExact, HashSet<UInt128> Members, (uint[] Indexes, byte[] Ranks) Registers, long Value, bool IsTouched, IReadOnlyList<UInt128> NewMembers,
    (uint[] Indexes, byte[] Ranks) Raised);
