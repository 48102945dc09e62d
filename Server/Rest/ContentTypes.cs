using Microsoft.Net.Http.Headers;

namespace Sketch.Server.Rest;

/// <summary>What a body may be.</summary>
internal static class ContentTypes
{
    public const string Json = "application/json";
    public const string NdJson = "application/x-ndjson";

    /// <summary>Checks the request's content type.</summary>
    /// <returns>The one of <paramref name="allowed"/> that was sent.</returns>
    /// <exception cref="ProblemException">415: it is none of them, or not UTF-8.</exception>
    public static string Require(HttpRequest request, params ReadOnlySpan<string> allowed)
    {
        if (MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? sent))
        {
            foreach (string type in allowed)
            {
                if (!sent.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase))
                    continue;
                if (sent.Charset.HasValue && !sent.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
                    break;
                return type;
            }
        }

        string value = request.ContentType ?? "missing";
        string list = string.Join(" or ", allowed.ToArray());
        throw new ProblemException(Problem.Of(415, "unsupported-media-type", "Unsupported content type", "Content-Type", value, list + " in UTF-8"));
    }
}
