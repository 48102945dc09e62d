namespace Sketch.Server.Rest;

/// <summary>
/// Metadata of routes whose work takes microseconds: it is done by the thread that waits for sockets. A hand-over to the pool costs more than such a request, and
/// at millions of increments a second it was a third of the node's work. All other routes run in the pool.
/// </summary>
internal sealed class QuickRoute
{
    /// <summary>The only one.</summary>
    public static QuickRoute Instance { get; } = new();
}
