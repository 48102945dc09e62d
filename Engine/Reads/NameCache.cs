using System.Collections.Concurrent;

namespace Sketch.Engine.Reads;

/// <summary>Names that lists of the heaviest asked for, by id. Names never change, so that none is ever wrong; half of them are let go when there are too many.</summary>
internal sealed class NameCache
{
    /// <summary>The most names kept: some megabytes.</summary>
    public const int MaxNames = 1 << 16;

    private readonly ConcurrentDictionary<ulong, string> _names = new();

    public int Count => _names.Count;

    public string? Find(ulong id) => _names.GetValueOrDefault(id);

    public void Add(ulong id, string name)
    {
        if (_names.Count >= MaxNames)
        {
            foreach (ulong some in _names.Keys.Take(MaxNames / 2).ToArray())
            {
                _names.TryRemove(some, out _);
            }
        }

        _names[id] = name;
    }
}
