using System.Net;

namespace Sketch.Server.Rest;

/// <summary>
/// Listeners are on loopback without keys, so a page of a stranger must not reach them through the visitor's browser: a name that was
/// rebound to 127.0.0.1 is told by its Host header.
/// </summary>
internal sealed class LocalOnly(RequestDelegate next)
{
    /// <summary>Runs the request if it was meant for this machine.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";

        string host = context.Request.Host.Host;
        bool local = host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
        return local ? next(context) : throw new ProblemException(Problem.Of(
            421, "foreign-host", "Not meant for this node", "Host", context.Request.Host.Value ?? "", "localhost, 127.0.0.1 or [::1]"));
    }
}
