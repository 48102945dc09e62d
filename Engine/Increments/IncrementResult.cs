namespace Sketch.Engine.Increments;

/// <summary>How a batch ended.</summary>
public enum IncrementStatus
{
    /// <summary>Counted once: now, or, for a duplicate, before.</summary>
    Accepted,

    /// <summary>Overload, or a counter was deleted while the batch was on its way: nothing was counted; try again (HTTP 429).</summary>
    Busy,

    /// <summary>The disk is full: nothing was written; reads go on (HTTP 507).</summary>
    NoSpace,

    /// <summary>The log holds as much as it may, because checkpoints do not move on: nothing was written; reads go on (HTTP 429).</summary>
    LogFull,

    /// <summary>The node is stopping: retry with the same producer and sequence to learn the outcome (HTTP 503).</summary>
    Unknown,

    /// <summary>The sequence is older than the producer's remembered window: it can't be told whether it was counted (HTTP 409).</summary>
    SequenceTooOld,

    /// <summary>
    /// The sequence is further ahead of the producer's newest than <see cref="EngineLimits.ProducerWindow"/>: batches are missing, or the node has forgotten the producer.
    /// Nothing was counted (HTTP 409).
    /// </summary>
    SequenceGap,

    /// <summary>Another batch was counted with this producer and sequence: two senders use one producer. Nothing was counted (HTTP 409).</summary>
    ProducerShared,

    /// <summary>Refused as a whole; <see cref="IncrementResult.Rejection"/> says why.</summary>
    Rejected,
}

/// <summary>The answer to a batch.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Accepted">How many increments were counted by this batch, now or before.</param>
/// <param name="Duplicate">True when this producer and sequence had been counted before.</param>
/// <param name="Position">Where in the log the batch was first written; for a sequence too old or too far ahead, the producer's newest.</param>
/// <param name="Rejection">Why it was refused, when it was.</param>
public readonly record struct IncrementResult(
    IncrementStatus Status, int Accepted = 0, bool Duplicate = false, long Position = 0, Rejection? Rejection = null);
