using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Sketch.Realtime.Hub;

/// <summary>
/// Browsers let any page open a WebSocket to any address, the visitor's own machine included, and say only which page asked. So the hub
/// answers its own page, the origins an operator allows, and programs that are no browser.
/// </summary>
internal static class SameOrigin
{
    public static void Require(EndpointBuilder endpoint, IEnumerable<string> allowedOrigins)
    {
        var allowed = allowedOrigins.Select(origin => origin.TrimEnd('/')).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var next = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = context =>
        {
            if (IsAllowed(context.Request, allowed))
                return next(context);
            return Results.Problem(
                statusCode: StatusCodes.Status403Forbidden,
                title: "Origin not allowed",
                detail: $"Origin is '{context.Request.Headers.Origin}'; allowed: this node's own page, and what AllowedOrigins names.")
                .ExecuteAsync(context);
        };
    }

    private static bool IsAllowed(HttpRequest request, HashSet<string> allowed)
    {
        string origin = request.Headers.Origin.ToString();
        return origin.Length == 0
            || allowed.Contains(origin)
            || (Uri.TryCreate(origin, UriKind.Absolute, out var page)
                && string.Equals(page.Authority, new UriBuilder(page.Scheme + "://" + request.Host.Value).Uri.Authority, StringComparison.OrdinalIgnoreCase));
    }
}
