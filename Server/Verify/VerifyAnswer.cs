namespace Sketch.Server.Verify;

/// <summary>What a verification compared, and where it found a difference.</summary>
/// <param name="Same">True when there is none.</param>
/// <param name="FromPosition">The log was replayed from here.</param>
/// <param name="ToPosition">And up to here: the last position stored.</param>
/// <param name="Windows">Windows computed again from the log.</param>
/// <param name="WindowsNotKept">Of these, those whose deltas ClickHouse no longer keeps.</param>
/// <param name="Rows">Rows of the other windows.</param>
/// <param name="LogDigest">Their digest as the log has them.</param>
/// <param name="DeltasDigest">Their digest as ClickHouse has them.</param>
/// <param name="Counters">Totals compared.</param>
/// <param name="MemoryDigest">Their digest as memory has them.</param>
/// <param name="TotalsDigest">Their digest as ClickHouse has them.</param>
/// <param name="Distincts">Counters of the kind distinct compared, with their members and registers.</param>
/// <param name="Items">Items of counters of the kind top compared.</param>
/// <param name="LogElements">Registers of counters and hours, members and items that the log holds, and that were compared with ClickHouse's.</param>
/// <param name="LogElementsLeftOut">Those that were too many to be compared.</param>
/// <param name="Hours">Hours of history compared with their deltas.</param>
/// <param name="Days">Days of history compared with their hours.</param>
/// <param name="Differences">The first of them.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record VerifyAnswer(
    bool Same, long FromPosition, long ToPosition, long Windows, long WindowsNotKept, long Rows, string LogDigest, string DeltasDigest, long Counters, string MemoryDigest,
    string TotalsDigest, long Distincts, long Items, long LogElements, long LogElementsLeftOut, int Hours, int Days, IReadOnlyList<VerifyDifference> Differences, double Seconds);

/// <summary>A difference.</summary>
/// <param name="What">window, deltas, totals, members, registers, distinct, items, seen, hour, day or log.</param>
/// <param name="Where">Which of them.</param>
/// <param name="Expected">What the log or memory says.</param>
/// <param name="Found">What ClickHouse holds.</param>
internal sealed record VerifyDifference(string What, string Where, string Expected, string Found);

/// <summary>What POST /v1/verify takes: nothing to choose yet.</summary>
internal sealed record VerifyBody;
