namespace Sketch.Client;

/// <summary>How an <see cref="IncrementSender"/> sends.</summary>
public sealed class IncrementSenderOptions
{
    /// <summary>The most increments in a batch.</summary>
    internal const int MostIncrements = 2_000;

    private readonly int _batchIncrements = 1_000;
    private readonly TimeSpan _sendAfter = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The name by which the node knows a batch that comes again: 1 to 64 bytes of UTF-8, and no other sender's. A new random one by default, which is right unless the
    /// process keeps what was not acknowledged over a restart.
    /// </summary>
    public string Producer { get; init; } = $"client-{Guid.NewGuid():N}";

    /// <summary>Increments that go together, 1 to 2,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public int BatchIncrements
    {
        get => _batchIncrements;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MostIncrements);
            _batchIncrements = value;
        }
    }

    /// <summary>For how long an increment waits for others, a millisecond to a minute.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Out of range.</exception>
    public TimeSpan SendAfter
    {
        get => _sendAfter;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMinutes(1));
            _sendAfter = value;
        }
    }

    /// <summary>How long <see cref="IncrementSender.DisposeAsync"/> waits for what is not acknowledged.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Told of every batch that the node refuses for good; it may be called from any thread.</summary>
    public Action<IncrementRefusedException>? Refused { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
