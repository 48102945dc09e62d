namespace Sketch.Engine.Reads;

/// <summary>Live values. Every call is one consistent cut: no window counts twice or not at all, and a batch is in all of the values or in none.</summary>
public interface ICounterReader
{
    /// <summary>The confidence used when a reader names none.</summary>
    const double DefaultConfidence = 0.99;

    /// <summary>True when the namespace exists.</summary>
    bool HasNamespace(string @namespace);

    /// <summary>
    /// The values of the named counters, in order of the names, null where there is no such counter.
    /// </summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="names">Counter names.</param>
    /// <param name="confidence">In (0.5, 1).</param>
    IReadOnlyList<CounterValue?> Read(string @namespace, IReadOnlyList<string> names, double confidence);

    /// <summary>
    /// Brings counters into memory, so that <see cref="Read"/> finds them: it answers null for one that is not, and looks after it for the next time. Reading them again
    /// and again keeps them there.
    /// </summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="names">Counter names.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask WarmAsync(string @namespace, IReadOnlyList<string> names, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>The heaviest counters of a namespace, heaviest first.</summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="k">How many, 1 to 1,000.</param>
    /// <param name="confidence">In (0.5, 1).</param>
    IReadOnlyList<CounterValue> Top(string @namespace, int k, double confidence);

    /// <summary>The values of the named counters and the heaviest ones, all as of one position.</summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="names">Counter names, none or more.</param>
    /// <param name="k">How many of the heaviest, 0 to 1,000.</param>
    /// <param name="confidence">In (0.5, 1).</param>
    CounterCut Cut(string @namespace, IReadOnlyList<string> names, int k, double confidence);

    /// <summary>The largest items of a counter of the kind top, as a cut of its own; null when there is no such counter, or it is of another kind.</summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="name">The counter.</param>
    /// <param name="most">As many as the counter is defined with, but no more than this.</param>
    TopItems? LargestItems(string @namespace, string name, int most) => null;

    /// <summary>Names of a namespace in ordinal order of their UTF-8 bytes.</summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="prefix">Names that start so; empty for all.</param>
    /// <param name="after">Only names after this one; null from the start.</param>
    /// <param name="limit">1 to 1,000.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<IReadOnlyList<string>> FindAsync(string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken);

    /// <summary>Names of counters that have all of these labels, in ordinal order of their UTF-8 bytes.</summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="labels">Names and values, at least one; an empty value stands for any.</param>
    /// <param name="limit">1 to 1,001.</param>
    IReadOnlyList<string> FindLabelled(string @namespace, IReadOnlyDictionary<string, string> labels, int limit);
}
