namespace Sketch.Engine.Catalogue;

/// <summary>
/// Which counters have a label. Only counters with a definition of their own have any, so this is small against the names; the doors hold it to
/// <see cref="EngineLimits.MaxLabelledCounters"/>. A label without a value stands for all its values.
/// </summary>
internal sealed class LabelIndex
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, (ushort Namespace, IReadOnlyDictionary<string, string> Labels)> _labels = [];
    private readonly Dictionary<(ushort Namespace, string Label, string Value), HashSet<ulong>> _ids = [];
    private int _count;

    /// <summary>How many counters have labels.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>A counter has these labels now, and no others.</summary>
    public void Set(ulong id, ushort @namespace, IReadOnlyDictionary<string, string>? labels)
    {
        lock (_lock)
        {
            if (_labels.TryGetValue(id, out var before))
            {
                if (ReferenceEquals(before.Labels, labels))
                {
                    return;
                }

                Forget(id, before.Namespace, before.Labels);
            }

            if (labels is { Count: > 0 })
            {
                _labels[id] = (@namespace, labels);
                foreach ((string label, string value) in labels)
                {
                    Add((@namespace, label, value), id);
                    Add((@namespace, label, ""), id);
                }
            }

            Volatile.Write(ref _count, _labels.Count);
        }
    }

    /// <summary>A counter is gone.</summary>
    public void Remove(ulong id) => Set(id, 0, null);

    /// <summary>The counters of a namespace that have all of the labels; an empty value stands for any.</summary>
    public ulong[] Find(ushort @namespace, IReadOnlyDictionary<string, string> labels)
    {
        lock (_lock)
        {
            HashSet<ulong>? fewest = null;
            foreach ((string label, string value) in labels)
            {
                if (!_ids.TryGetValue((@namespace, label, value), out HashSet<ulong>? ids))
                {
                    return [];
                }

                fewest = fewest is null || ids.Count < fewest.Count ? ids : fewest;
            }

            return fewest is null ? [] : [.. fewest.Where(id => HasAll(_labels[id].Labels, labels))];
        }
    }

    private static bool HasAll(IReadOnlyDictionary<string, string> has, IReadOnlyDictionary<string, string> wanted)
    {
        foreach ((string label, string value) in wanted)
        {
            if (!has.TryGetValue(label, out string? found) || (value.Length > 0 && found != value))
            {
                return false;
            }
        }

        return true;
    }

    private void Add((ushort, string, string) key, ulong id)
    {
        if (!_ids.TryGetValue(key, out HashSet<ulong>? ids))
        {
            _ids.Add(key, ids = []);
        }

        ids.Add(id);
    }

    private void Forget(ulong id, ushort @namespace, IReadOnlyDictionary<string, string> labels)
    {
        _labels.Remove(id);
        foreach ((string label, string value) in labels)
        {
            Drop((@namespace, label, value), id);
            Drop((@namespace, label, ""), id);
        }
    }

    private void Drop((ushort, string, string) key, ulong id)
    {
        if (_ids.TryGetValue(key, out HashSet<ulong>? ids) && ids.Remove(id) && ids.Count == 0)
        {
            _ids.Remove(key);
        }
    }
}
