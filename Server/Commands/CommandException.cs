namespace Sketch.Server.Commands;

/// <summary>A command failed; the message is a sentence for its caller.</summary>
internal sealed class CommandException(string message, int exitStatus = ExitCode.Failed) : Exception(message)
{
    /// <summary>What the process answers.</summary>
    public int ExitStatus { get; } = exitStatus;
}
