using Sketch.Storage.Sql;

namespace Sketch.Server.Sql;

/// <summary>Errors of the SQL port that ClickHouse did not make, in its form.</summary>
internal static class SqlErrors
{
    /// <summary>Answers with an error.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">HTTP's status.</param>
    /// <param name="code">ClickHouse's code.</param>
    /// <param name="message">What is wrong.</param>
    public static async Task WriteAsync(HttpContext context, int status, int code, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers["X-ClickHouse-Exception-Code"] = $"{code}";
        await context.Response.WriteAsync(ErrorText.Of(code, message) + "\n", context.RequestAborted).ConfigureAwait(false);
    }
}
