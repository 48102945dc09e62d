using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;

namespace Sketch.Server.Verify;

/// <summary>What the log holds of counters that take elements, window by window: the registers, members and items that ClickHouse must hold at least.</summary>
/// <param name="from">The position after which the log was read.</param>
/// <param name="partition">Only this partition's counters; null for all.</param>
internal sealed class ElementReplay(long from, int? partition)
{
    /// <summary>The most states, members and items that are kept together; what comes beyond is told, and not compared.</summary>
    private const int MaxKept = 8_000_000;


    /// <summary>By counter and generation: all elements.</summary>
    public Dictionary<(ulong Id, long Generation), RegisterSet> States { get; } = [];

    /// <summary>The same by hours (seconds since 1970).</summary>
    public Dictionary<(ulong Id, long Generation, long Hour), RegisterSet> Hours { get; } = [];

    /// <summary>Elements of counters that keep them.</summary>
    public HashSet<StoredMember> Members { get; } = [];

    /// <summary>Sums of items, with the last window that changed them.</summary>
    public Dictionary<(ulong Id, long Generation, string Item), (long Sum, long Position, long Delta)> Items { get; } = [];

    /// <summary>The hour of the first window: what came before in it was not read.</summary>
    public long FirstHour { get; private set; } = long.MaxValue;

    /// <summary>How much is kept.</summary>
    public long Kept => States.Count + Hours.Count + Members.Count + Items.Count;

    /// <summary>What was not kept.</summary>
    public long LeftOut { get; private set; }

    /// <summary>Whether all that a generation ever held was read.</summary>
    public bool IsWhole(long generation) => generation > from && LeftOut == 0;

    /// <summary>Takes a window in.</summary>
    /// <param name="replayed">The window.</param>
    /// <param name="hasHours">Whether the store keeps hours of it.</param>
    public void Add(ReplayedWindow replayed, bool hasHours)
    {
        Checkpoint window = replayed.Window;
        long hour = window.FirstTimeMs / 3_600_000 * 3_600;
        FirstHour = Math.Min(FirstHour, hour);
        foreach (SeenElements seen in window.Seen.Where(s => IsWanted(s.Id)))
        {
            Raise(States, (seen.Id, seen.Generation), seen);
            if (hasHours)
                Raise(Hours, (seen.Id, seen.Generation, hour), seen);
        }

        foreach (StoredMember member in replayed.Members.Where(m => IsWanted(m.Id)))
        {
            if (HasRoom(Members.Contains(member)))
                Members.Add(member);
        }

        foreach (ItemRow row in window.Items.Where(r => IsWanted(r.Id)))
        {
            (ulong, long, string) key = (row.Id, row.Generation, row.Item);
            if (HasRoom(Items.TryGetValue(key, out (long Sum, long, long) before)))
                Items[key] = (before.Sum + row.Delta, window.To, row.Delta);
        }
    }

    private bool IsWanted(ulong id) => partition is null || CounterId.Partition(id) == partition;

    private void Raise<TKey>(Dictionary<TKey, RegisterSet> sets, TKey key, SeenElements seen) where TKey : notnull
    {
        if (!HasRoom(sets.TryGetValue(key, out RegisterSet? set)))
            return;
        if (set is null)
            sets.Add(key, set = new RegisterSet());
        set.Raise(seen.Indexes, seen.Ranks);
    }

    private bool HasRoom(bool isKept)
    {
        if (isKept || Kept < MaxKept)
            return true;
        LeftOut++;
        return false;
    }
}
