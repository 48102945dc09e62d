using Sketch.Engine;
using Sketch.Realtime;
using Sketch.Server.Hosting;

namespace Sketch.Server.Rest;

/// <summary>The outermost step: whatever goes wrong inside becomes a problem, also unknown routes, wrong methods and our own bugs.</summary>
internal sealed partial class ProblemAnswers(RequestDelegate next, EngineGate gate, ILogger<ProblemAnswers> log)
{
    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            if (!gate.IsReady && NeedsEngine(context.Request.Path))
                throw new ProblemException(NotReady());
            await next(context).ConfigureAwait(false);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null })
                await context.WriteAsync(Bare(context)).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone: nobody is left to answer.
            if (!context.Response.HasStarted)
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            Problem problem = Answer(failure, context);
            context.Response.Headers.ContentLength = null;
            await context.WriteAsync(problem).ConfigureAwait(false);
        }
    }

    private static bool NeedsEngine(PathString path) =>
        path.StartsWithSegments("/v1", StringComparison.Ordinal) || path.StartsWithSegments("/hubs", StringComparison.Ordinal);

    private Problem NotReady() => gate.Status switch
    {
        "opening" => Problem.Of(503, "opening", "The node is opening", "node", $"catching up: {gate.Progress.Percent} % of its log replayed", "a retry in a second") with { RetryAfterSeconds = 1 },
        "stopping" => Problem.Of(503, "stopping", "The node is stopping", "node", "stopping", "a retry once it runs again") with { RetryAfterSeconds = 2 },
        _ => Problem.Of(503, "failed", "The node has failed", "node", gate.Reason ?? "failed", "a retry once it was restarted") with { RetryAfterSeconds = 5 },
    };

    private Problem Answer(Exception failure, HttpContext context)
    {
        switch (failure)
        {
            case ProblemException known:
                return known.Problem;
            case SubscriptionRefusedException refused:
                return Problem.Of(
                    refused.Status,
                    refused.Status switch { 404 => "unknown-namespace", 429 => "quota-exceeded", 503 => "opening", _ => "invalid-value" },
                    refused.Status switch { 404 => "Unknown namespace", 429 => "Quota used up", 503 => "Not now", _ => "Not allowed" },
                    refused.Field,
                    refused.Value,
                    refused.Allowed) with
                { RetryAfterSeconds = refused.Status is 429 or 503 ? 1 : null };
            case BadHttpRequestException bad:
                return Problem.Of(bad.StatusCode, "bad-request", "Bad request", "request", bad.Message, "a request as HTTP/1.1 describes it");
            case EngineBusyException busy:
                return Problem.Of(503, "outcome-unknown", "Not done for now", "request", busy.Message, "the same request again in a second") with { RetryAfterSeconds = 1 };
            case ObjectDisposedException or InvalidOperationException when !gate.IsReady:
                return NotReady();
            default:
                LogBug(log, failure, context.Request.Method, context.Request.Path);
                return Problem.Of(500, "internal", "Our mistake", "request", "not at fault", "please report it with the node's log of this moment");
        }
    }

    private static Problem Bare(HttpContext context)
    {
        string path = context.Request.Path.Value ?? "/";
        return context.Response.StatusCode switch
        {
            404 => Problem.Of(404, "unknown-route", "Unknown route", "path", path, "the routes in /openapi/v1.json"),
            405 => Problem.Of(
                405, "method-not-allowed", "Method not allowed", "method", context.Request.Method, context.Response.Headers.Allow.ToString()),
            415 => Problem.Of(415, "unsupported-media-type", "Unsupported content type", "Content-Type", context.Request.ContentType ?? "missing", "application/json"),
            var status => Problem.Of(status, "refused", "Refused", "request", $"{context.Request.Method} {path}", "see /openapi/v1.json"),
        };
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected failure in {Method} {Path}")]
    private static partial void LogBug(ILogger logger, Exception failure, string method, PathString path);
}
