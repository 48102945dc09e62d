using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;

namespace Sketch.Engine;

/// <summary>
/// A node's counting: increments go into the log, live views follow it, checkpoints make them exact, reads see one consistent cut of both.
/// </summary>
public sealed class CountingEngine : ICounterReader, IAsyncDisposable
{
    /// <summary>Loads the last checkpoint, replays the log after it, and opens for increments.</summary>
    public static Task<CountingEngine> OpenAsync(
        EngineOptions options, IIncrementLog log, ICheckpointStore store, TimeProvider time, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Completes with the failure when the engine can go no further (the log failed, or is damaged): the process should exit.</summary>
    public Task Failed => throw new NotSupportedException();

    /// <summary>Figures for health pages.</summary>
    public EngineStatus Status => throw new NotSupportedException();

    /// <summary>The namespaces, by name.</summary>
    public IReadOnlyList<NamespaceStatus> Namespaces => throw new NotSupportedException();

    /// <summary>Creates or changes a namespace; returns once that is fsynced. Null when done, else the refusal.</summary>
    public ValueTask<Rejection?> DefineNamespaceAsync(NamespaceDefinition definition, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Creates or changes a counter; returns once that is fsynced. Null when done, else the refusal.</summary>
    public ValueTask<Rejection?> DefineCounterAsync(string @namespace, CounterDefinition definition, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>An empty batch for an existing namespace; null when there is no such namespace.</summary>
    public IncrementBatch? RentBatch(string @namespace) => throw new NotSupportedException();

    /// <summary>Counts a batch once, and returns when it is acknowledged as its strictest tier asks.</summary>
    /// <param name="batch">From <see cref="RentBatch"/>; the caller still disposes it.</param>
    /// <param name="producer">Who sends, 1 to 64 bytes of UTF-8; null when retries need not be told apart.</param>
    /// <param name="sequence">The producer's number for this batch, from 1; 0 without a producer.</param>
    /// <param name="cancellationToken">Gives up waiting; the batch may still be counted.</param>
    public ValueTask<IncrementResult> CommitAsync(
        IncrementBatch batch, string? producer, long sequence, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Closes the open window now and waits until everything up to here is stored exactly.</summary>
    public Task CheckpointAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <inheritdoc cref="ICheckpointStore.ReadHistoryAsync"/>
    public ValueTask<IReadOnlyList<HistoryPoint>> HistoryAsync(
        string @namespace, string name, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public bool HasNamespace(string @namespace) => throw new NotSupportedException();

    /// <inheritdoc/>
    public IReadOnlyList<CounterValue?> Read(string @namespace, IReadOnlyList<string> names, double confidence) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public IReadOnlyList<CounterValue> Top(string @namespace, int k, double confidence) => throw new NotSupportedException();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> FindAsync(
        string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
