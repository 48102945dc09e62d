namespace Sketch.Client;

/// <summary>The current value of every counter of a selection, kept from its frames. For one thread at a time.</summary>
public sealed class LiveBoard
{
    private readonly Dictionary<string, LiveCounter> _values = new(StringComparer.Ordinal);

    /// <summary>By name.</summary>
    public IReadOnlyDictionary<string, LiveCounter> Values => _values;

    /// <summary>When the values were right, UTC; null before the first frame.</summary>
    public DateTime? AsOf { get; private set; }

    /// <summary>Takes in the next frame.</summary>
    public void Apply(LiveFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (frame.Snapshot)
            _values.Clear();
        foreach (string name in frame.Removed ?? [])
            _values.Remove(name);
        foreach (LiveCounter value in frame.Values)
            _values[value.Name] = value;
        AsOf = frame.AsOf;
    }
}
