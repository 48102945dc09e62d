using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Reads;

namespace Sketch.Engine;

/// <content>Reads: at once from memory, through the store for what is not there.</content>
public sealed partial class CountingEngine
{
    /// <inheritdoc/>
    public IReadOnlyList<CounterValue?> Read(string @namespace, IReadOnlyList<string> names, double confidence)
    {
        ArgumentNullException.ThrowIfNull(names);
        NamespaceEntry owner = Existing(@namespace);
        IReadOnlyList<CounterValue?> values = _reads.Read(owner, names, confidence, LoadedTotals.None, out IReadOnlyList<ulong> missing);
        if (missing.Count > 0)
        {
            _coldReads.LoadLater(owner, missing);
        }

        return values;
    }

    /// <summary>Whether there is such a counter.</summary>
    public bool Has(string @namespace, string name) => _reads.Has(Existing(@namespace), name);

    /// <summary>As <see cref="Read"/>; counters whose totals are not in memory are read from the store. Completes at once when all are in memory.</summary>
    /// <exception cref="CheckpointStoreException">The store can't be reached.</exception>
    public ValueTask<IReadOnlyList<CounterValue?>> ReadAsync(
        string @namespace, IReadOnlyList<string> names, double confidence, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(names);
        NamespaceEntry owner = Existing(@namespace);
        IReadOnlyList<CounterValue?> values = _reads.Read(owner, names, confidence, LoadedTotals.None, out IReadOnlyList<ulong> missing);
        return missing.Count == 0 ? new(values) : ReadThroughAsync(owner, names, confidence, missing, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask WarmAsync(string @namespace, IReadOnlyList<string> names, CancellationToken cancellationToken) =>
        await ReadAsync(@namespace, names, ICounterReader.DefaultConfidence, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public IReadOnlyList<CounterValue> Top(string @namespace, int k, double confidence) => Cut(@namespace, [], k, confidence).Heaviest;

    /// <inheritdoc/>
    public CounterCut Cut(string @namespace, IReadOnlyList<string> names, int k, double confidence)
    {
        ArgumentNullException.ThrowIfNull(names);
        NamespaceEntry owner = Existing(@namespace);
        CounterCut cut = _reads.Cut(owner, names, k, confidence, LoadedTotals.None, out IReadOnlyList<ulong> unnamed, out IReadOnlyList<ulong> missing);
        if (unnamed.Count + missing.Count > 0)
        {
            _coldReads.NameLater(owner, unnamed, missing);
        }

        return cut;
    }

    /// <summary>As <see cref="Top"/>; names and totals that are not in memory are read from the store.</summary>
    /// <exception cref="CheckpointStoreException">The store can't be reached.</exception>
    public async ValueTask<IReadOnlyList<CounterValue>> TopAsync(string @namespace, int k, double confidence, CancellationToken cancellationToken)
    {
        NamespaceEntry owner = Existing(@namespace);
        LoadedTotals loaded = LoadedTotals.None;
        while (true)
        {
            IReadOnlyList<CounterValue> values = _reads.Top(owner, k, confidence, loaded, out IReadOnlyList<ulong> unnamed, out IReadOnlyList<ulong> missing);
            if (missing.Count > 0)
            {
                loaded = await _coldReads.LoadAsync(owner, missing, loaded, cancellationToken).ConfigureAwait(false);
            }
            else if (unnamed.Count == 0 || !await _coldReads.NameAsync(owner, unnamed, cancellationToken).ConfigureAwait(false))
            {
                return values;
            }
        }
    }

    /// <summary>A counter's value, with what its bounds are made of, and why; null when there is no such counter.</summary>
    /// <param name="namespace">An existing namespace.</param>
    /// <param name="name">The counter.</param>
    /// <param name="confidence">In (0.5, 1).</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">There is no such namespace.</exception>
    /// <exception cref="CheckpointStoreException">The store can't be reached.</exception>
    public async ValueTask<CounterAccuracy?> AccuracyOfAsync(string @namespace, string name, double confidence, CancellationToken cancellationToken)
    {
        NamespaceEntry owner = Existing(@namespace);
        LoadedTotals loaded = LoadedTotals.None;
        while (true)
        {
            CounterAccuracy? accuracy = _reads.Explain(owner, name, confidence, loaded, out IReadOnlyList<ulong> missing);
            if (missing.Count == 0)
            {
                return accuracy;
            }

            loaded = await _coldReads.LoadAsync(owner, missing, loaded, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<IReadOnlyList<CounterValue?>> ReadThroughAsync(
        NamespaceEntry owner, IReadOnlyList<string> names, double confidence, IReadOnlyList<ulong> missing, CancellationToken cancellationToken)
    {
        // A checkpoint that came meanwhile makes what was read a total of the past: read again, at most once for every checkpoint.
        LoadedTotals loaded = LoadedTotals.None;
        while (true)
        {
            loaded = await _coldReads.LoadAsync(owner, missing, loaded, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<CounterValue?> values = _reads.Read(owner, names, confidence, loaded, out missing);
            if (missing.Count == 0)
            {
                return values;
            }
        }
    }
}
