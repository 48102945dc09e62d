using System.Net.WebSockets;
using Sketch.Server.Hosting;
using Sketch.Server.Rest;

namespace Sketch.Server.Streams;

/// <summary>GET /v1/namespaces/{namespace}/increments/stream: a WebSocket of batches.</summary>
internal static class BatchStreamRoute
{
    /// <summary>Accepts the WebSocket and counts what comes through it, until either side ends.</summary>
    public static async Task GetAsync(HttpContext context, string @namespace, EngineGate gate, IHostApplicationLifetime node)
    {
        QueryParameters.Require(context.Request);
        if (!context.WebSockets.IsWebSocketRequest)
            throw new ProblemException(Problem.Of(426, "websocket-needed", "Upgrade needed", "Upgrade", context.Request.Headers.Upgrade.ToString(), "websocket"));
        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(BatchStream.Protocol))
        {
            throw new ProblemException(Problem.Invalid(
                "Sec-WebSocket-Protocol", context.Request.Headers.SecWebSocketProtocol.ToString(), BatchStream.Protocol));
        }

        // A browser opens WebSockets to anywhere for any page; what is no page says no origin.
        string origin = context.Request.Headers.Origin.ToString();
        if (origin.Length > 0 && !(Uri.TryCreate(origin, UriKind.Absolute, out Uri? from) && from.Authority == context.Request.Host.Value))
            throw new ProblemException(Problem.Of(403, "foreign-origin", "Not a page of this node", "Origin", origin, $"http://{context.Request.Host.Value}, or none"));
        if (!gate.Engine.HasNamespace(@namespace))
            throw new ProblemException(Problem.UnknownNamespace(@namespace));

        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(BatchStream.Protocol).ConfigureAwait(false);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, node.ApplicationStopping);
        await new BatchStream(socket, @namespace, gate).RunAsync(end.Token).ConfigureAwait(false);
    }
}
