using System.Collections.Concurrent;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Elements;

namespace Sketch.Engine.Windows;

/// <content>What a window holds beside sums.</content>
internal sealed partial class LiveWindow
{
    private ConcurrentDictionary<ulong, bool>? _restarted;
    private ConcurrentDictionary<ulong, TopWindow>? _tops;
    private int _newItems;

    /// <summary>Whether a counter begins at zero with this window: earlier windows and totals do not count for it.</summary>
    public bool Restarts(ulong id) => Volatile.Read(ref _restarted)?.ContainsKey(id) ?? false;

    /// <summary>What the window did to counters of the kind distinct, once it is closed.</summary>
    public DistinctRow[] Distincts { get; private set; } = [];

    /// <summary>Its items of a counter of the kind top, if any came.</summary>
    public TopWindow? Top(ulong id) => Volatile.Read(ref _tops)?.GetValueOrDefault(id);

    public TopWindow TopOf(ulong id, int k)
    {
        if (_tops is null)
        {
            Volatile.Write(ref _tops, new ConcurrentDictionary<ulong, TopWindow>());
        }

        return _tops!.GetOrAdd(id, static (_, k) => new TopWindow(TopWindow.CapacityFor(k)), k);
    }

    /// <summary>
    /// Items of counters of the kind top that the window did not know when they came: never less than it has different ones. The checkpoint holds each of those, whatever
    /// the live side lets go.
    /// </summary>
    public int NewItems => Volatile.Read(ref _newItems);

    public void AddNewItems(int count) => Volatile.Write(ref _newItems, _newItems + count);

    public void Restart(ulong id)
    {
        if (_restarted is null)
        {
            Volatile.Write(ref _restarted, new ConcurrentDictionary<ulong, bool>());
        }

        _restarted![id] = true;
    }

    public void CloseDistincts(DistinctRow[] rows) => Distincts = rows;
}
