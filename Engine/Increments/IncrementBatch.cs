namespace Sketch.Engine.Increments;

/// <summary>
/// Increments of one namespace on their way into the log: columns, validated as they are added. Rent it with
/// <see cref="CountingEngine.RentBatch"/>, fill it on one thread, give it to <see cref="CountingEngine.CommitAsync"/>, dispose it.
/// </summary>
public sealed class IncrementBatch : IDisposable
{
    /// <summary>The namespace all increments go to.</summary>
    public string Namespace => throw new NotSupportedException();

    /// <summary>How many increments were added.</summary>
    public int Count => throw new NotSupportedException();

    /// <summary>Adds one increment; a refusal names the field without its place, for example delta, and leaves the batch as it was.</summary>
    /// <param name="nameUtf8">The counter's name, 1 to 256 bytes of valid UTF-8 without control characters.</param>
    /// <param name="delta">At most <see cref="EngineLimits.MaxDelta"/> either way; not negative for approximate counters.</param>
    /// <returns>Null when added.</returns>
    public Rejection? Add(ReadOnlySpan<byte> nameUtf8, long delta) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotSupportedException();
}
