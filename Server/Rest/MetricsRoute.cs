using System.Text;
using Sketch.Server.Hosting;

namespace Sketch.Server.Rest;

/// <summary>GET /metrics, which Prometheus reads.</summary>
internal static class MetricsRoute
{
    /// <summary>All instruments as text.</summary>
    public static Task GetAsync(HttpContext context, MetricsExport metrics)
    {
        QueryParameters.Require(context.Request);
        byte[] page = Encoding.UTF8.GetBytes(metrics.Write());
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = MetricsExport.ContentType;
        context.Response.ContentLength = page.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(page, context.RequestAborted).AsTask();
    }
}
