using Sketch.Engine.Catalogue;

namespace Sketch.Engine.Fold;

/// <summary>The counters that the last expiring record names, but for those that were saved since.</summary>
internal sealed class ExpiringCounters
{
    private readonly Dictionary<ulong, string> _names = [];

    /// <summary>The position of that record; zero when there was none.</summary>
    public long Position { get; private set; }

    /// <summary>Whose they are.</summary>
    public string Namespace { get; private set; } = "";

    /// <summary>Their names, by id.</summary>
    public IReadOnlyDictionary<ulong, string> Names => _names;

    public void Begin(long position, string @namespace, IEnumerable<string> names)
    {
        Position = position;
        Namespace = @namespace;
        _names.Clear();
        foreach (string name in names)
        {
            _names[CounterId.Of(@namespace, name)] = name;
        }
    }

    /// <summary>The counter stays.</summary>
    public void Save(ulong id) => _names.Remove(id);

    /// <summary>These stay.</summary>
    public void Save(ReadOnlySpan<ulong> ids)
    {
        foreach (ulong id in ids)
        {
            _names.Remove(id);
        }
    }

    /// <summary>All of them stay.</summary>
    public void SaveAll() => _names.Clear();
}
