using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;

namespace Sketch.Server.Hosting;

/// <summary>What a node is put together from; tests put in a clock or a store of their own.</summary>
internal sealed record NodeSeams
{
    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Opens the log of a data folder.</summary>
    public required Func<ServeOptions, TimeProvider, CancellationToken, Task<IIncrementLog>> OpenLog { get; init; }

    /// <summary>Opens where checkpoints go.</summary>
    public required Func<ServeOptions, ILoggerFactory, TimeProvider, CancellationToken, Task<OpenStore>> OpenStore { get; init; }
}

/// <summary>An open checkpoint store.</summary>
/// <param name="Store">The store.</param>
/// <param name="Sql">Answers requests of the SQL port; null when the store speaks no SQL.</param>
/// <param name="Owned">Disposed after the store, in order: the ClickHouse process, for example.</param>
internal sealed record OpenStore(ICheckpointStore Store, RequestDelegate? Sql, IReadOnlyList<IAsyncDisposable> Owned);
