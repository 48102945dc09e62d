using Sketch.Engine.Fold;

namespace Sketch.Engine.Catalogue;

/// <summary>A namespace on its live side: what the doors check before the log is written.</summary>
internal sealed class NamespaceEntry(NamespaceState state)
{
    // A table of totals holds 63 bits with their sign: every total stays below 2^62 either way.
    private const long MaxWeight = (1L << 62) - 1;

    private long _admittedWeight;
    private long _counters;

    /// <summary>What the log says of it.</summary>
    public NamespaceState State { get; } = state;

    /// <summary>"name:" in UTF-8, what ids are hashed with.</summary>
    public byte[] IdPrefix => State.IdPrefix;

    /// <summary>How many counters it has.</summary>
    public long Counters => Volatile.Read(ref _counters);

    /// <summary>It has one counter more.</summary>
    public void CountCounter() => CountCounters(1);

    /// <summary>It has so many counters more.</summary>
    public void CountCounters(int count) => Interlocked.Add(ref _counters, count);

    /// <summary>It has one counter less.</summary>
    public void UncountCounter() => Interlocked.Decrement(ref _counters);

    /// <summary>Reserves room for a batch's deltas: as long as this is true, no sum in the namespace can overflow.</summary>
    public bool TryAdmit(long weight)
    {
        if (Interlocked.Add(ref _admittedWeight, weight) <= MaxWeight)
        {
            return true;
        }

        Interlocked.Add(ref _admittedWeight, -weight);
        return false;
    }

    /// <summary>Gives room back: the batch was not counted.</summary>
    public void Release(long weight) => Interlocked.Add(ref _admittedWeight, -weight);
}
