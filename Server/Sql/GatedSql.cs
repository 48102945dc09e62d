using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Sketch.Server.Rest;
using Sketch.Storage.Sql;
using Sketch.Storage.Store;

namespace Sketch.Server.Sql;

/// <summary>
/// The SQL port in front of a ClickHouse server of the operator's: statements pass the same gate as in the embedded one, and settings
/// only those that readers may set, since the node's own user there may write.
/// </summary>
internal sealed class GatedSql(SqlProxy proxy, ClickHouseStoreOptions clickHouse)
{
    private const int RefusedByGate = 497;
    private const int NotDecompressed = 354;
    private const string Database = "sketch";
    private const int MaxSeconds = 60;
    private const int MaxResultRows = 10_000_000;
    private static readonly string[] Passed = ["default_format", "query_id", "enable_http_compression", "output_format", "compress", "wait_end_of_query"];

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
            byte[] bytes = await StatementBody.ReadAsync(request.Body, context.RequestAborted).ConfigureAwait(false);
            string body = await StatementBody.DecodeAsync(bytes, request).ConfigureAwait(false)
                ?? throw new InvalidDataException($"Content-Encoding is {Problem.Shorten(request.Headers.ContentEncoding.ToString())}; allowed: {SqlBody.Encodings}");
            statement = SqlGate.Check(Join(request.Query["query"].ToString(), body));
            RequireDatabase(request.Query["database"].ToString());
            RequireDatabase(request.Headers["X-ClickHouse-Database"].ToString());
            foreach ((string name, StringValues value) in request.Query.Where(p => p.Key is not ("query" or "user" or "password" or "database" or "decompress")))
            {
                if (!Passed.Contains(name) && !name.StartsWith("param_", StringComparison.Ordinal) && !SqlGate.AllowsSetting(name))
                    throw new SqlRefusedException($"the parameter {Problem.Shorten(name)} is not for readers");
                parameters[name] = value;
            }
        }
        catch (SqlRefusedException refused)
        {
            await SqlErrors.WriteAsync(context, StatusCodes.Status403Forbidden, RefusedByGate, refused.Message).ConfigureAwait(false);
            return;
        }
        catch (Exception bad) when (SqlBody.IsBad(bad))
        {
            await SqlErrors.WriteAsync(context, StatusCodes.Status400BadRequest, NotDecompressed, $"the body cannot be decompressed: {bad.Message}").ConfigureAwait(false);
            return;
        }

        parameters["database"] = Database;
        parameters["readonly"] = "2";
        // Rows of a counter are on one shard: joins by id stay there.
        if (clickHouse.Cluster is not null)
            parameters["distributed_product_mode"] = "local";
        parameters.TryAdd("max_execution_time", $"{MaxSeconds}");
        parameters.TryAdd("max_result_rows", $"{MaxResultRows}");
        request.Method = HttpMethods.Post;
        request.Headers.ContentType = "text/plain; charset=utf-8";
        request.Headers.ContentLength = null;
        request.Headers.Remove("Content-Encoding");
        string basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{clickHouse.User}:{clickHouse.Password}"));
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
}
