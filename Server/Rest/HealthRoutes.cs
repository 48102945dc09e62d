using Sketch.Server.Hosting;

namespace Sketch.Server.Rest;

/// <summary>Health pages for people and orchestrators.</summary>
internal static class HealthRoutes
{
    /// <summary>GET /health/live: the process answers.</summary>
    public static Task LiveAsync(HttpContext context, EngineGate gate, ServeOptions options) => WriteAsync(context, gate, options, StatusCodes.Status200OK);

    /// <summary>GET /health/ready: the engine is open and counts.</summary>
    public static Task ReadyAsync(HttpContext context, EngineGate gate, ServeOptions options) =>
        WriteAsync(context, gate, options, gate.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    private static Task WriteAsync(HttpContext context, EngineGate gate, ServeOptions options, int status)
    {
        context.Response.Headers.CacheControl = "no-store";
        HealthAnswer answer = new(gate.Status, options.Node, Product.Version, gate.EngineOrNull?.Status, gate.Reason)
        {
            Opening = gate.Status == "opening" ? gate.Progress : null,
        };
        return context.WriteAsync(answer, AnswersJson.Readable.HealthAnswer, status);
    }
}
