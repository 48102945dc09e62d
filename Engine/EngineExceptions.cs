using Sketch.Engine.Log;

namespace Sketch.Engine;

/// <summary>Log, snapshot and store do not fit together; the message says which lacks what.</summary>
public sealed class EngineStateException : IOException
{
    /// <summary>Creates the exception.</summary>
    public EngineStateException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>A definition could not be logged now.</summary>
public sealed class EngineBusyException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="status">How the append ended.</param>
    public EngineBusyException(AppendStatus status) : base(status switch
    {
        AppendStatus.Busy => "The log's queue is full; try again later.",
        AppendStatus.NoSpace => "The disk is full; nothing was written.",
        AppendStatus.Full => "The log holds as much as it may until checkpoints move on; nothing was written.",
        _ => "The node is stopping; try again to learn whether it was written.",
    }) => Status = status;

    /// <summary>How the append ended.</summary>
    public AppendStatus Status { get; }
}
