using System.Text;
using Sketch.Realtime;
using Sketch.Realtime.Hub;

namespace Sketch.Server.Rest;

/// <summary>Live values as server-sent events, for those without SignalR.</summary>
internal static class WatchRoutes
{
    private const int RetryMs = 1_000;

    /// <summary>GET /v1/namespaces/{namespace}/watch.</summary>
    public static async Task GetAsync(HttpContext context, string @namespace, LiveFrames frames, IHostApplicationLifetime node)
    {
        using CancellationTokenSource ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, node.ApplicationStopping);
        CancellationToken gone = ends.Token;
        ShortSendBuffer.Shorten(context);
        SubscriptionRequest request = QueryParameters.Watch(context.Request, @namespace);
        HttpResponse response = context.Response;
        bool begun = false;
        await foreach (CounterFrame frame in frames.WatchAsync(request, gone).ConfigureAwait(false))
        {
            if (!begun)
            {
                // Only now: until the first frame is there the answer may still be a problem.
                begun = true;
                response.ContentType = "text/event-stream";
                response.Headers.CacheControl = "no-store";
                response.Headers["X-Accel-Buffering"] = "no";
                await response.BodyWriter.WriteAsync(Encoding.ASCII.GetBytes($"retry: {RetryMs}\n\n"), gone).ConfigureAwait(false);
            }

            // The JSON has no line breaks. The next frame is composed once this one is on its way.
            byte[] head = Encoding.ASCII.GetBytes($"id: {QueryParameters.EventId(frame)}\ndata: ");
            byte[] json = LiveFrames.ToJson(frame);
            await response.BodyWriter.WriteAsync((byte[])[.. head, .. json, (byte)'\n', (byte)'\n'], gone).ConfigureAwait(false);
        }
    }
}
