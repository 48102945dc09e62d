using Sketch.Server.Rest;

namespace Sketch.Server.Sql;

/// <summary>
/// POST /v1/sql: the SQL port's answers at the page's own origin, which its content security policy asks for. The content type is one that
/// a browser sends for no page of another origin without asking first, and nobody here says yes.
/// </summary>
internal static class SqlRoute
{
    /// <summary>What a statement's content type has to be.</summary>
    public const string ContentType = "application/sql";

    /// <summary>Answers one statement, with ClickHouse's parameters in the query.</summary>
    public static Task PostAsync(HttpContext context, SqlEndpoint sql)
    {
        HttpRequest request = context.Request;
        ContentTypes.Require(request, ContentType);
        request.Path = "/";
        request.ContentType = "text/plain; charset=utf-8";
        return sql.InvokeAsync(context);
    }
}
