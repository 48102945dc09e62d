using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Sketch.Server.Rest;

/// <summary>Writes answers straight into the response.</summary>
internal static class Writing
{
    private const string Json = "application/json";
    private const string ProblemJson = "application/problem+json";

    /// <summary>Writes a body.</summary>
    public static Task WriteAsync<T>(this HttpContext context, T body, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        return WriteBodyAsync(context, body, type, Json);
    }

    /// <summary>Writes a problem with its status and, where it makes sense to try again, Retry-After.</summary>
    public static Task WriteAsync(this HttpContext context, Problem problem)
    {
        context.Response.StatusCode = problem.Status;
        context.Response.Headers.CacheControl = "no-store";
        if (problem.RetryAfterSeconds is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return WriteBodyAsync(context, problem, AnswersJson.Readable.Problem, ProblemJson);
    }

    private static Task WriteBodyAsync<T>(HttpContext context, T body, JsonTypeInfo<T> type, string contentType)
    {
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(body, type);
        context.Response.ContentType = contentType;
        context.Response.ContentLength = bytes.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }
}
