using System.Collections.Frozen;
using System.Net.Sockets;
using Microsoft.Extensions.Primitives;
using Sketch.Server.Rest;

namespace Sketch.Server.Sql;

/// <summary>
/// Passes requests of the SQL port on to ClickHouse's HTTP interface and its answers back, as they are: readers get the same interface as
/// from a ClickHouse server. When a client leaves, so does its query.
/// </summary>
internal sealed class SqlProxy : IAsyncDisposable
{
    // Each hop has its own connection, so what describes the connection is not passed on (RFC 9110, section 7.6.1).
    private static readonly FrozenSet<string> OfTheHop = FrozenSet.ToFrozenSet(
        ["Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Host", "Expect"], StringComparer.OrdinalIgnoreCase);

    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(5);
    private readonly Func<Uri> _address;
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = ConnectTime,
        AutomaticDecompression = System.Net.DecompressionMethods.None,
    });

    /// <param name="address">Where ClickHouse listens now; asked for each request, since a restarted process may have another port.</param>
    public SqlProxy(Func<Uri> address) => _address = address;

    /// <summary>Answers one request.</summary>
    public Task InvokeAsync(HttpContext context) => PassAsync(context, context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent(), Body(context.Request));

    /// <summary>Sends a request of our making in the place of the client's, and the answer back to the client.</summary>
    public async Task PassAsync(HttpContext context, string target, HttpContent? body, params IEnumerable<KeyValuePair<string, string>> headers)
    {
        using HttpRequestMessage request = new(new HttpMethod(context.Request.Method), new Uri(_address().GetLeftPart(UriPartial.Authority) + target)) { Content = body };
        foreach ((string name, StringValues values) in context.Request.Headers)
        {
            if (!OfTheHop.Contains(name) && !request.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values!))
                request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values!);
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using HttpResponseMessage answer = await _http.SendAsync(request, context.RequestAborted).ConfigureAwait(false);
            await CopyAsync(answer, context).ConfigureAwait(false);
        }
        catch (HttpRequestException failure) when (!context.Response.HasStarted)
        {
            string why = failure.GetBaseException() is SocketException socket ? socket.Message : failure.Message;
            throw new ProblemException(
                Problem.Of(503, "clickhouse-unavailable", "ClickHouse can't be reached", "clickhouse", why, "a retry in a few seconds") with { RetryAfterSeconds = 2 });
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private static StreamContent? Body(HttpRequest request) =>
        request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0 ? new StreamContent(request.Body) : null;

    private static async Task CopyAsync(HttpResponseMessage answer, HttpContext context)
    {
        HttpResponse response = context.Response;
        response.StatusCode = (int)answer.StatusCode;
        foreach ((string name, IEnumerable<string> values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (!OfTheHop.Contains(name))
                response.Headers[name] = values.ToArray();
        }

        Stream stream = await answer.Content.ReadAsStreamAsync(context.RequestAborted).ConfigureAwait(false);
        await stream.CopyToAsync(response.Body, context.RequestAborted).ConfigureAwait(false);
    }
}
