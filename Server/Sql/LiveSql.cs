using System.Text;
using Microsoft.Extensions.Primitives;
using Sketch.Engine.Checkpoints;
using Sketch.Storage.Sql;

namespace Sketch.Server.Sql;

/// <summary>
/// Answers statements over live_values: puts a cut of live values in the view's place and hands the statement on. Every other request is handed on as it is;
/// what a statement may do is judged behind this, as always.
/// </summary>
internal sealed class LiveSql(RequestDelegate next, LiveCuts cuts)
{
    private const int BadArguments = 36; // as ClickHouse has it

    /// <summary>Answers one request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        LiveStatement? statement;
        try
        {
            statement = await ReadAsync(context).ConfigureAwait(false);
        }
        catch (LiveConfidenceException refused)
        {
            await SqlErrors.WriteAsync(context, StatusCodes.Status400BadRequest, BadArguments, refused.Message).ConfigureAwait(false);
            return;
        }

        if (statement is null)
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        LiveCuts.Cut cut;
        try
        {
            cut = await cuts.TakeAsync(statement, context.RequestAborted).ConfigureAwait(false);
        }
        catch (CheckpointStoreException failure)
        {
            throw LiveCuts.Busy(failure.Message);
        }

        try
        {
            Replace(context.Request, statement.Over(cut.Table));
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            await cuts.ReturnAsync(cut).ConfigureAwait(false);
        }
    }

    /// <summary>The statement, when it is one over live values; the request can be read again.</summary>
    private static async Task<LiveStatement?> ReadAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        IEnumerable<KeyValuePair<string, StringValues>> parameters = request.Query;
        string body = "";
        if (request.ContentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true)
        {
            IFormCollection form = await request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
            parameters = [.. request.Query, .. form];
            // The form is read: from here on its fields are parameters like others.
            request.QueryString = QueryString.Create(parameters);
            request.ContentType = null;
            request.ContentLength = 0;
            request.Body = Stream.Null;
        }
        else if (!HttpMethods.IsGet(request.Method))
        {
            byte[] bytes = await StatementBody.ReadAsync(request.Body, context.RequestAborted).ConfigureAwait(false);
            body = await DecodeAsync(bytes, request).ConfigureAwait(false);
            request.Body = new MemoryStream(bytes);
            request.ContentLength = bytes.Length;
            request.Headers.TransferEncoding = StringValues.Empty;
        }

        // As ClickHouse does: a statement may begin in the query and go on in the body.
        string query = parameters.LastOrDefault(p => p.Key == "query").Value.ToString();
        return LiveStatement.TryParse(
            query.Length == 0 ? body : query + "\n" + body,
            parameters.Where(p => p.Key.StartsWith("param_", StringComparison.Ordinal)).Select(p => p.Value.ToString()));
    }

    private static void Replace(HttpRequest request, string sql)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(sql);
        request.QueryString = QueryString.Create(request.Query.Where(p => p.Key is not ("query" or "decompress")));
        request.Method = HttpMethods.Post;
        request.Headers.Remove("Content-Encoding");
        request.ContentType = "text/plain; charset=utf-8";
        request.ContentLength = bytes.Length;
        request.Body = new MemoryStream(bytes);
    }

    // What cannot be decompressed is handed on, and refused there.
    private static async Task<string> DecodeAsync(byte[] bytes, HttpRequest request)
    {
        try
        {
            return await StatementBody.DecodeAsync(bytes, request).ConfigureAwait(false) ?? "";
        }
        catch (Exception failure) when (SqlBody.IsBad(failure))
        {
            return "";
        }
    }
}
