using Sketch.Engine.Fold;
using Sketch.Engine.Tables;
using Sketch.Sketches;

namespace Sketch.Engine.Windows;

/// <summary>
/// What one window adds to the values: exact sums of strong and eventual counters, a sketch of the approximate ones, the heaviest of each namespace, and
/// the names first seen in it. The fold writes; readers take no lock except for the names.
/// </summary>
internal sealed partial class LiveWindow(long from)
{
    private readonly Lock _naming = new();
    private readonly Dictionary<ulong, (ushort Namespace, string Name)> _names = [];
    private HeaviestCandidates?[] _heaviest = [];
    private CountMinSketch? _sketch;
    private WindowSpan _span = new(from, from, 0, 0, 0, 0);
    private long _firstTimeMs;
    private long _changes;

    /// <summary>Its first position.</summary>
    public long From { get; } = from;

    /// <summary>Positions, times and counts so far; for the fold, and for others once the window is closed.</summary>
    public WindowSpan Span => _span;

    /// <summary>Log time of the first record; zero while it is empty.</summary>
    public long FirstTimeMs => Volatile.Read(ref _firstTimeMs);

    /// <summary>Exact sums.</summary>
    public DeltaTable Exact { get; } = new();

    /// <summary>The sketch, once something approximate came.</summary>
    public CountMinSketch? Sketch => Volatile.Read(ref _sketch);

    /// <summary>Odd while a batch is being added, even and larger afterwards: tells whether something changed between two looks.</summary>
    public long Changes => Volatile.Read(ref _changes);

    /// <summary>Which may be the heaviest of a namespace in this window, if it has any.</summary>
    public HeaviestCandidates? Heaviest(int namespaceIndex)
    {
        HeaviestCandidates?[] all = Volatile.Read(ref _heaviest);
        return namespaceIndex < all.Length ? all[namespaceIndex] : null;
    }

    /// <summary>Names of a namespace first seen here.</summary>
    public string[] NamesOf(int namespaceIndex)
    {
        lock (_naming)
        {
            return [.. _names.Values.Where(n => n.Namespace == namespaceIndex).Select(n => n.Name)];
        }
    }

    /// <summary>The name of an id that was first seen here.</summary>
    public string? NameOf(ulong id)
    {
        lock (_naming)
        {
            return _names.TryGetValue(id, out (ushort Namespace, string Name) known) ? known.Name : null;
        }
    }

    /// <summary>Notes a name that was first seen here.</summary>
    public void AddName(ulong id, ushort namespaceIndex, string name)
    {
        lock (_naming)
        {
            _names[id] = (namespaceIndex, name);
        }
    }

    /// <summary>A batch is about to be added.</summary>
    public void BeginChange() => Volatile.Write(ref _changes, _changes + 1);

    /// <summary>The batch was added.</summary>
    /// <param name="span">What the window has now.</param>
    public void EndChange(in WindowSpan span)
    {
        _span = span;
        Volatile.Write(ref _firstTimeMs, span.FirstTimeMs);
        Volatile.Write(ref _changes, _changes + 1);
    }

    /// <summary>Nothing more comes.</summary>
    /// <param name="span">What the window has, its marker included.</param>
    public void Close(in WindowSpan span) => _span = span;

    /// <summary>The sketch; the first call makes it.</summary>
    /// <param name="pool">Where it comes from.</param>
    public CountMinSketch SketchFrom(SketchPool pool)
    {
        if (_sketch is null)
        {
            Volatile.Write(ref _sketch, pool.Rent(From));
        }

        return _sketch!;
    }

    /// <summary>Which may be the heaviest of a namespace in this window; the first call for one makes its table.</summary>
    public HeaviestCandidates HeaviestOf(int namespaceIndex)
    {
        if (namespaceIndex >= _heaviest.Length)
        {
            HeaviestCandidates?[] grown = new HeaviestCandidates?[Math.Max(namespaceIndex + 1, _heaviest.Length * 2)];
            _heaviest.CopyTo(grown, 0);
            Volatile.Write(ref _heaviest, grown);
        }

        return _heaviest[namespaceIndex] ??= new HeaviestCandidates();
    }
}
