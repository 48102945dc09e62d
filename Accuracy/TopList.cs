namespace Sketch.Accuracy;

/// <summary>One who may be among the heaviest, with bounds that are certain.</summary>
/// <param name="Id">The id.</param>
/// <param name="Value">The best single answer.</param>
/// <param name="Lower">The truth is certainly not below this.</param>
/// <param name="Upper">The truth is certainly not above this.</param>
public readonly record struct TopCandidate(ulong Id, long Value, long Lower, long Upper)
{
    /// <summary>
    /// Combines what is known of an id: its exact total, its entry in a heavy-hitter table, and its count-min estimate, all of
    /// the same increments. Lower = exact + the entry's, upper = exact + the smaller of both.
    /// </summary>
    /// <param name="id">The id.</param>
    /// <param name="exact">Its exact total at the checkpoint.</param>
    /// <param name="lower">The entry's lower bound, or 0 without an entry.</param>
    /// <param name="upper">The entry's upper bound, or the table's offset without an entry.</param>
    /// <param name="sketched">The count-min estimate of the live part; <see cref="long.MaxValue"/> when there is none or it is saturated.</param>
    /// <param name="median">The middle ghost, see <see cref="GhostSample.Median"/>.</param>
    public static TopCandidate From(ulong id, long exact, long lower, long upper, long sketched, long median)
    {
        long top = Math.Max(lower, Math.Min(upper, sketched));
        long value = Math.Clamp(sketched == long.MaxValue ? top : sketched - median, lower, top);
        return new TopCandidate(
            id, LiveEstimate.SaturatingAdd(exact, value), LiveEstimate.SaturatingAdd(exact, lower), LiveEstimate.SaturatingAdd(exact, top));
    }
}

/// <summary>One of the heaviest.</summary>
/// <param name="Candidate">Who, with its bounds.</param>
/// <param name="Certain">True only when it must be among the k heaviest (or ties with the k-th).</param>
public readonly record struct TopItem(TopCandidate Candidate, bool Certain);

/// <summary>Picks the k heaviest of candidates and says which of them certainly belong there.</summary>
public static class TopList
{
    /// <summary>
    /// Heaviest value first, then by id. An item is certain when its lower bound reaches both the most that anyone who is not a
    /// candidate may weigh and the k-th largest upper bound of the others: then at most k - 1 can be heavier.
    /// </summary>
    /// <param name="candidates">Each id once. Reordered.</param>
    /// <param name="k">How many, 1 or more.</param>
    /// <param name="otherwise">
    /// The most that an id which is not a candidate may weigh: the tables' offsets, and the smallest exact total that candidates
    /// were drawn from.
    /// </param>
    public static TopItem[] Pick(Span<TopCandidate> candidates, int k, long otherwise)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        candidates.Sort(static (a, b) => b.Upper.CompareTo(a.Upper));
        long kth = candidates.Length >= k ? candidates[k - 1].Upper : long.MinValue;
        long next = candidates.Length > k ? candidates[k].Upper : long.MinValue;

        candidates.Sort(static (a, b) => a.Value != b.Value ? b.Value.CompareTo(a.Value) : a.Id.CompareTo(b.Id));
        TopItem[] items = new TopItem[Math.Min(k, candidates.Length)];
        for (int i = 0; i < items.Length; i++)
        {
            TopCandidate item = candidates[i];
            // Whoever is one of the k largest upper bounds is not counted against itself.
            long ofOthers = item.Upper >= kth ? next : kth;
            items[i] = new TopItem(item, item.Lower >= otherwise && item.Lower >= ofOthers);
        }

        return items;
    }
}
