using Sketch.Engine.Checkpoints;

namespace Sketch.Engine.Elements;

/// <summary>
/// The largest items of one counter as the checkpoints know them; replaced as a whole, so that readers see one cut. A strong or eventual counter keeps all of its items.
/// Of an approximate one the smaller are let go, and whoever comes back may have had as much as the largest that went.
/// </summary>
internal sealed class ItemTotals
{
    /// <summary>How many items an approximate counter keeps at least, once it has them.</summary>
    public const int Kept = 10_000;

    private readonly Dictionary<ulong, ItemTotal> _items;

    private ItemTotals(long generation, long floor, Dictionary<ulong, ItemTotal> items)
    {
        Generation = generation;
        Floor = floor;
        _items = items;
    }

    /// <summary>The position at which the counter began, or was reset.</summary>
    public long Generation { get; }

    /// <summary>The most that an item which is not here has.</summary>
    public long Floor { get; }

    public IReadOnlyDictionary<ulong, ItemTotal> Items => _items;

    /// <summary>No items yet.</summary>
    public static ItemTotals Empty(long generation) => new(generation, 0, []);

    /// <summary>From the store, which tells the largest first and no more than a limit.</summary>
    public static ItemTotals From(IReadOnlyList<StoredItem> items, ElementHasher hasher, int limit)
    {
        Dictionary<ulong, ItemTotal> totals = new(items.Count);
        foreach (StoredItem item in items)
        {
            totals[hasher.ItemId(item.Id, System.Text.Encoding.UTF8.GetBytes(item.Item))] = new ItemTotal(item.Item, item.Value, 0);
        }

        return new ItemTotals(items[0].Generation, items.Count < limit ? 0 : items[^1].Value, totals);
    }

    /// <summary>The same with a window's items added.</summary>
    /// <param name="rows">The window's items of this counter.</param>
    /// <param name="exact">Whether all must be kept.</param>
    public ItemTotals Plus(IEnumerable<ItemRow> rows, bool exact)
    {
        Dictionary<ulong, ItemTotal> items = new(_items);
        foreach (ItemRow row in rows)
        {
            ItemTotal before = items.TryGetValue(row.ItemId, out ItemTotal known) ? known : new ItemTotal(row.Item, 0, Floor);
            items[row.ItemId] = before with { Total = before.Total + row.Delta };
        }

        if (exact || items.Count <= 2 * Kept)
        {
            return new ItemTotals(Generation, Floor, items);
        }

        KeyValuePair<ulong, ItemTotal>[] sorted = [.. items.OrderByDescending(i => i.Value.Upper).ThenBy(i => i.Key)];
        return new ItemTotals(Generation, Math.Max(Floor, sorted[Kept].Value.Upper), sorted.Take(Kept).ToDictionary());
    }
}

/// <summary>An item's exact total since it is known, and the most that it may have had before.</summary>
internal readonly record struct ItemTotal(string Text, long Total, long Doubt)
{
    public long Upper => Total + Doubt;
}
