using System.Text;
using Sketch.Engine.Reads;

namespace Sketch.Realtime.Broadcast;

/// <summary>Which counters a subscription finds by itself: those with a prefix, or those with labels.</summary>
internal sealed class NameQuery
{
    private readonly string? _prefix;
    private readonly IReadOnlyDictionary<string, string>? _labels;

    public NameQuery(string prefix) => (_prefix, Key) = (prefix, "p" + prefix);

    public NameQuery(IReadOnlyDictionary<string, string> labels) => (_labels, Key) = (labels, KeyOf(labels));

    /// <summary>The same for all that ask for the same.</summary>
    public string Key { get; }

    /// <summary>The first names, and whether there are more than a subscription may hold.</summary>
    public async Task<(IReadOnlyList<string> Names, bool More)> FindAsync(ICounterReader reader, string @namespace, CancellationToken cancellationToken)
    {
        if (_labels is not null)
        {
            var found = reader.FindLabelled(@namespace, _labels, RealtimeLimits.MaxNames + 1);
            return ([.. found.Take(RealtimeLimits.MaxNames)], found.Count > RealtimeLimits.MaxNames);
        }

        var names = await reader.FindAsync(@namespace, _prefix!, null, RealtimeLimits.MaxNames, cancellationToken);
        bool more = names.Count == RealtimeLimits.MaxNames
            && (await reader.FindAsync(@namespace, _prefix!, names[^1], 1, cancellationToken)).Count > 0;
        return (names, more);
    }

    // Lengths keep names and values apart, whatever they hold.
    private static string KeyOf(IReadOnlyDictionary<string, string> labels)
    {
        var key = new StringBuilder("l");
        foreach (var (label, value) in labels.OrderBy(label => label.Key, StringComparer.Ordinal))
            key.Append(label.Length).Append(':').Append(label).Append(value.Length).Append(':').Append(value);
        return key.ToString();
    }
}
