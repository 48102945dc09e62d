namespace Sketch.Engine.Log;

/// <summary>Why a disk refused, as far as the log acts on it.</summary>
public enum DiskFault
{
    /// <summary>Any other error: what was written is unknown.</summary>
    Broken,

    /// <summary>The disk or the quota is full.</summary>
    NoSpace,

    /// <summary>There is no such file.</summary>
    NotFound,
}

/// <summary>A call to the disk failed.</summary>
public sealed class LogDiskException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Names the call, the file and the operating system's reason.</param>
    /// <param name="fault">What the log makes of it.</param>
    public LogDiskException(string message, DiskFault fault) : base(message) => Fault = fault;

    /// <summary>What the log makes of it.</summary>
    public DiskFault Fault { get; }
}
