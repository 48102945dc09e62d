using Sketch.Engine.Log;

namespace Sketch.Server.Hosting;

/// <summary>The parts that a node of this version runs on.</summary>
internal static class NodeParts
{
    private const string LogFolder = "log";

    /// <summary>The embedded log and ClickHouse.</summary>
    public static NodeSeams Real { get; } = new()
    {
        OpenLog = OpenLogAsync,
        OpenStore = (_, _, _) => throw new NotSupportedException("the embedded ClickHouse is not part of this build"),
    };

    private static async Task<IIncrementLog> OpenLogAsync(ServeOptions options, TimeProvider time, CancellationToken cancellationToken) =>
        await EmbeddedLog.OpenAsync(new EmbeddedLogOptions { Folder = Path.Combine(options.Data, LogFolder) }, time, cancellationToken).ConfigureAwait(false);
}
