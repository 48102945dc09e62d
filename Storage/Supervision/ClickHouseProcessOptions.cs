using Sketch.Storage.Embedded;

namespace Sketch.Storage.Supervision;

/// <summary>How the embedded ClickHouse process is started and watched.</summary>
public sealed record ClickHouseProcessOptions
{
    /// <summary>The executable, and the arguments that make it call <see cref="EmbeddedClickHouse.MainAsync"/> with the arguments that follow.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>What it runs with; its port is kept over restarts when it can be.</summary>
    public required EmbeddedClickHouseOptions ClickHouse { get; init; }

    /// <summary>How long it may take until it answers.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long it may take to end when told to; then it is killed, which loses nothing.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pause before the first restart; it doubles up to <see cref="MaxBackoff"/> while starts fail.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause before a restart.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often it is asked whether it still answers; after three asks without an answer it is killed and started anew.</summary>
    public TimeSpan PingEvery { get; init; } = TimeSpan.FromSeconds(5);
}
