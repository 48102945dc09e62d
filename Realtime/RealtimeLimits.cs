namespace Sketch.Realtime;

/// <summary>The limits that a subscriber meets; each refusal names the one it is about.</summary>
public static class RealtimeLimits
{
    /// <summary>Subscriptions on one connection.</summary>
    public const int MaxSubscriptionsPerConnection = 32;

    /// <summary>Counters in one subscription.</summary>
    public const int MaxNames = 1_000;

    /// <summary>Items of a counter of the kind top in a frame.</summary>
    public const int MaxItems = 50;

    /// <summary>The shortest interval between frames, ms; also the step that intervals are rounded up to.</summary>
    public const int MinIntervalMs = 50;

    /// <summary>The longest interval between frames, ms.</summary>
    public const int MaxIntervalMs = 60_000;

    /// <summary>The interval when a subscriber names none, ms.</summary>
    public const int DefaultIntervalMs = 1_000;

    /// <summary>Confidence is above this, and below 1.</summary>
    public const double ConfidenceAbove = 0.5;

    /// <summary>When nothing changes an empty frame says so, this often (or every interval, when that is longer), ms.</summary>
    public const int HeartbeatMs = 2_000;

    /// <summary>The largest message from a client, bytes: a thousand long names fit.</summary>
    public const int MaxRequestBytes = 512 * 1024;

    /// <summary>A client that takes nothing for this long is disconnected.</summary>
    public static readonly TimeSpan MaxSendTime = TimeSpan.FromSeconds(30);
}
