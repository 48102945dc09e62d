namespace Sketch.Server;

/// <summary>What the process answers to the shell; scripts rely on these.</summary>
internal static class ExitCode
{
    /// <summary>Done, or a node that was asked to stop.</summary>
    public const int Done = 0;

    /// <summary>It failed: the node could not be reached, refused, or could go no further.</summary>
    public const int Failed = 1;

    /// <summary>The command line, a setting or the environment is not allowed; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>The data folder or a port belongs to another process.</summary>
    public const int InUse = 3;
}
