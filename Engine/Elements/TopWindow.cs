using System.Text;
using Sketch.Sketches;

namespace Sketch.Engine.Elements;

/// <summary>
/// The items of one counter of the kind top in one window. All of them, exactly, until an approximate counter has more than the capacity: from then on the heaviest
/// are candidates in a heavy-hitter table, and all go through the window's count-min sketch too, whichever bound is tighter. The fold writes, readers take a lock.
/// </summary>
internal sealed class TopWindow(int capacity)
{
    /// <summary>Sketch cells have 32 bits: an item with a larger delta is left to the heavy-hitter table.</summary>
    private const long MaxSketchDelta = 1 << 20;

    private readonly Lock _gate = new();
    private readonly HashSet<ulong> _unsketched = [];
    private Dictionary<ulong, (string Text, long Sum)> _items = [];
    private HeavyHitters? _heaviest;

    /// <summary>The capacity for a counter that is asked for its k largest items: below 40 k candidates are lost.</summary>
    public static int CapacityFor(int k) => Math.Max(1_024, 40 * k);

    /// <summary>Adds an item.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="text">Its text, UTF-8.</param>
    /// <param name="delta">0 or more.</param>
    /// <param name="exact">Whether all items must be kept.</param>
    /// <param name="sketch">The window's sketch, made when it is needed.</param>
    /// <returns>Whether the item was known; one that was let go is not.</returns>
    public bool Add(ulong id, ReadOnlySpan<byte> text, long delta, bool exact, Func<CountMinSketch> sketch)
    {
        lock (_gate)
        {
            bool isKnown = _items.TryGetValue(id, out (string Text, long Sum) item);
            if (_heaviest is null && (isKnown || exact || _items.Count < capacity))
            {
                _items[id] = (isKnown ? item.Text : Encoding.UTF8.GetString(text), item.Sum + delta);
                return isKnown;
            }

            if (_heaviest is null)
            {
                _heaviest = new HeavyHitters(Math.Max(capacity, _items.Count));
                foreach ((ulong known, (_, long sum)) in _items)
                {
                    Estimate(known, sum, sketch());
                }
            }

            Estimate(id, delta, sketch());
            if (!isKnown)
            {
                _items.Add(id, (Encoding.UTF8.GetString(text), 0));
                ForgetTexts(_heaviest);
            }

            return isKnown;
        }
    }

    /// <summary>What the window says now.</summary>
    public TopReading Read()
    {
        lock (_gate)
        {
            Dictionary<ulong, (string Text, long Lower, long Upper)> items = new(_items.Count);
            if (_heaviest is null)
            {
                foreach ((ulong id, (string text, long sum)) in _items)
                {
                    items.Add(id, (text, sum, sum));
                }

                return new TopReading(items, 0, false, _unsketched);
            }

            HeavyHitter[] entries = new HeavyHitter[_heaviest.Capacity];
            int count = _heaviest.CopyTo(entries, out long offset);
            foreach (HeavyHitter entry in entries.AsSpan(0, count))
            {
                items.Add(entry.Id, (_items[entry.Id].Text, entry.Lower, entry.Upper));
            }

            return new TopReading(items, offset, true, _unsketched.ToHashSet());
        }
    }

    /// <summary>Whether the window has an item.</summary>
    public bool Contains(ulong id)
    {
        lock (_gate)
        {
            return _items.ContainsKey(id);
        }
    }

    /// <summary>Adds the ids of the items that the window remembers to a set.</summary>
    public void CopyTo(HashSet<ulong> ids)
    {
        lock (_gate)
        {
            ids.UnionWith(_items.Keys);
        }
    }

    /// <summary>How many items the window remembers.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _items.Count;
            }
        }
    }

    private void Estimate(ulong id, long delta, CountMinSketch sketch)
    {
        _heaviest!.Add(id, delta);
        if (delta < MaxSketchDelta)
        {
            sketch.Add([id], [(uint)delta]);
        }
        else
        {
            _unsketched.Add(id);
        }
    }

    // Only candidates need a text.
    private void ForgetTexts(HeavyHitters heaviest)
    {
        if (_items.Count <= 2 * heaviest.Capacity)
        {
            return;
        }

        HeavyHitter[] entries = new HeavyHitter[heaviest.Capacity];
        int count = heaviest.CopyTo(entries);
        Dictionary<ulong, (string Text, long Sum)> kept = new(2 * heaviest.Capacity);
        foreach (HeavyHitter entry in entries.AsSpan(0, count))
        {
            kept.Add(entry.Id, _items[entry.Id]);
        }

        _items = kept;
    }
}

/// <summary>What a window says of a counter's items at one moment.</summary>
/// <param name="Items">Those it knows, with certain bounds.</param>
/// <param name="Otherwise">The most that any other has.</param>
/// <param name="IsSketched">Whether the window's sketch holds the items too.</param>
/// <param name="Unsketched">Items of which the sketch holds only a part.</param>
internal sealed record TopReading(
    IReadOnlyDictionary<ulong, (string Text, long Lower, long Upper)> Items, long Otherwise, bool IsSketched, IReadOnlySet<ulong> Unsketched)
{
    /// <summary>An item's bounds in the window.</summary>
    public (long Lower, long Upper) Bounds(ulong id, CountMinSketch? sketch)
    {
        (long lower, long upper) = Items.TryGetValue(id, out (string Text, long Lower, long Upper) item) ? (item.Lower, item.Upper) : (0, Otherwise);
        if (IsSketched && sketch is not null && !Unsketched.Contains(id) && sketch.Estimate(id) is var estimate and not CountMinSketch.SaturatedEstimate)
        {
            upper = Math.Max(lower, Math.Min(upper, estimate));
        }

        return (lower, upper);
    }
}
