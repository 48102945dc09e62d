namespace Sketch.Engine;

/// <summary>The limits that callers meet; each refusal names the one it is about.</summary>
public static class EngineLimits
{
    /// <summary>The longest counter name, bytes of UTF-8.</summary>
    public const int MaxNameBytes = 256;

    /// <summary>The longest namespace name, characters.</summary>
    public const int MaxNamespaceLength = 64;

    /// <summary>The most namespaces on a node.</summary>
    public const int MaxNamespaces = 1_000;

    /// <summary>The largest delta, either way.</summary>
    public const long MaxDelta = 1_000_000_000_000;

    /// <summary>The most increments in a batch.</summary>
    public const int MaxBatchIncrements = 10_000;

    /// <summary>The longest producer name, bytes of UTF-8.</summary>
    public const int MaxProducerBytes = 64;

    /// <summary>The longest element or item, bytes of UTF-8.</summary>
    public const int MaxElementBytes = 256;

    /// <summary>The most counters with labels on a node.</summary>
    public const int MaxLabelledCounters = 1_000_000;

    /// <summary>The most labels of a counter, and of a selection by labels.</summary>
    public const int MaxLabels = 16;

    /// <summary>The longest name and the longest value of a label, bytes of UTF-8.</summary>
    public const int MaxLabelBytes = 64;

    /// <summary>The most counters of the kind distinct on a node.</summary>
    public const int MaxDistinctCounters = 1_000_000;

    /// <summary>The most counters of the kind top on a node.</summary>
    public const int MaxTopCounters = 100_000;

    /// <summary>The most elements of a strong or eventual counter of the kind distinct: it keeps each of them.</summary>
    public const int MaxExactElements = 1_000_000;

    /// <summary>The most elements that all such counters of a node keep.</summary>
    public const int MaxExactElementsOfNode = 20_000_000;

    /// <summary>The most items of a strong or eventual counter of the kind top: it keeps each of them.</summary>
    public const int MaxExactItems = 100_000;

    /// <summary>
    /// How far behind a producer's highest sequence a batch may arrive and still be told apart from a duplicate, and how far ahead of it: a sender has at most as many batches on
    /// their way.
    /// </summary>
    public const int ProducerWindow = 256;

    /// <summary>How long a producer that sends nothing is remembered at least, unless there are too many: a retry must come within that time.</summary>
    public static readonly TimeSpan ProducerMemory = TimeSpan.FromDays(7);
}
