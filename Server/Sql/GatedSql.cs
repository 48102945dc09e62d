using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Sketch.Server.Rest;
using Sketch.Storage.Sql;

namespace Sketch.Server.Sql;

/// <summary>
/// The SQL port in front of a ClickHouse server of the operator's: statements pass the same gate as in the embedded one, and settings
/// only those that readers may set, since the node's own user there may write.
/// </summary>
internal sealed class GatedSql(SqlProxy proxy, string user, string password)
{
    private const int RefusedByGate = 497;
    private const string Database = "sketch";
    private const int MaxSeconds = 60;
    private const int MaxResultRows = 10_000_000;
    private static readonly string[] Passed = ["default_format", "query_id", "enable_http_compression", "output_format"];

    /// <summary>Answers one request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (request.Path == "/ping" || (HttpMethods.IsGet(request.Method) && !request.Query.ContainsKey("query")))
        {
            await proxy.PassAsync(context, "/ping", null).ConfigureAwait(false);
            return;
        }

        string statement;
        Dictionary<string, StringValues> parameters = new(StringComparer.Ordinal);
        try
        {
            using RequestBody body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
            statement = SqlGate.Check(Join(request.Query["query"].ToString(), Encoding.UTF8.GetString(body.Bytes)));
            RequireDatabase(request.Query["database"].ToString());
            RequireDatabase(request.Headers["X-ClickHouse-Database"].ToString());
            foreach ((string name, StringValues value) in request.Query.Where(p => p.Key is not ("query" or "user" or "password" or "database")))
            {
                if (!Passed.Contains(name) && !name.StartsWith("param_", StringComparison.Ordinal) && !SqlGate.AllowsSetting(name))
                    throw new SqlRefusedException($"the parameter {Problem.Shorten(name)} is not for readers");
                parameters[name] = value;
            }
        }
        catch (SqlRefusedException refused)
        {
            await RefuseAsync(context, refused.Message).ConfigureAwait(false);
            return;
        }

        parameters["database"] = Database;
        parameters["readonly"] = "2";
        parameters.TryAdd("max_execution_time", $"{MaxSeconds}");
        parameters.TryAdd("max_result_rows", $"{MaxResultRows}");
        request.Method = HttpMethods.Post;
        request.Headers.ContentType = "text/plain; charset=utf-8";
        request.Headers.ContentLength = null;
        string basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
        request.Headers.Remove("X-ClickHouse-User");
        request.Headers.Remove("X-ClickHouse-Key");
        request.Headers.Remove("X-ClickHouse-Database");
        await proxy.PassAsync(
            context, QueryHelpers.AddQueryString("/", parameters), new ByteArrayContent(Encoding.UTF8.GetBytes(statement)), [new("Authorization", basic)])
            .ConfigureAwait(false);
    }

    // A statement without a database means this one; with another as the default, a table of that one would pass the gate by its bare name.
    private static void RequireDatabase(string database)
    {
        if (database is not ("" or "default" or Database))
            throw new SqlRefusedException($"database is {Problem.Shorten(database)}; allowed: {Database}");
    }

    // As ClickHouse does: the statement may stand in the query, in the body, or begin in one and go on in the other.
    private static string Join(string query, string body) => query.Length == 0 ? body : body.Length == 0 ? query : query + "\n" + body;

    private static async Task RefuseAsync(HttpContext context, string message)
    {
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers["X-ClickHouse-Exception-Code"] = $"{RefusedByGate}";
        await context.Response.WriteAsync($"Code: {RefusedByGate}. DB::Exception: {message}. (ACCESS_DENIED)\n", context.RequestAborted).ConfigureAwait(false);
    }
}
