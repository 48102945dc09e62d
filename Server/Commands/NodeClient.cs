using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands;

/// <summary>Talks to a node's REST interface on behalf of a command; every failure is a sentence.</summary>
internal sealed class NodeClient : IDisposable
{
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(60);
    private readonly HttpClient _http;

    public NodeClient(Uri url, int connections = 2, TimeSpan? answerTime = null)
    {
        Url = url;
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTime,
            MaxConnectionsPerServer = connections,
            UseProxy = false,
            AllowAutoRedirect = false,
        })
        { BaseAddress = new Uri(url.GetLeftPart(UriPartial.Authority) + url.AbsolutePath.TrimEnd('/') + "/"), Timeout = answerTime ?? AnswerTime };
    }

    /// <summary>The node.</summary>
    public Uri Url { get; }

    /// <summary>The path of a namespace.</summary>
    public static string Namespace(string name) => "v1/namespaces/" + Uri.EscapeDataString(name);

    /// <summary>Reads an answer.</summary>
    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, path), cancellationToken).ConfigureAwait(false);
        return await ReadAsync(response, type, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends a JSON body and reads the answer.</summary>
    public async Task<T> SendAsync<TBody, T>(
        HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(
            () => new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, bodyType) }, cancellationToken).ConfigureAwait(false);
        return await ReadAsync(response, type, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends without looking at the status.</summary>
    /// <exception cref="HttpRequestException">The node does not answer.</exception>
    public Task<HttpResponseMessage> SendRawAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);

    /// <summary>Whether the namespace exists.</summary>
    public async Task<bool> HasNamespaceAsync(string name, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(
            () => new HttpRequestMessage(HttpMethod.Get, Namespace(name)), cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == System.Net.HttpStatusCode.NotFound)
            return false;
        _ = await ReadAsync(response, AnswersJson.Readable.NamespaceAnswer, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>The sentence of an answer that is not a success.</summary>
    public static async Task<string> SentenceAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        (await RefusalAsync(response, cancellationToken).ConfigureAwait(false)).Sentence;

    /// <summary>The sentence of an answer that is not a success, and the line of the body that it is about.</summary>
    public static async Task<(string Sentence, long? Line)> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        string text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            && JsonSerializer.Deserialize(text, AnswersJson.Readable.Problem) is { } problem)
        {
            return ($"{problem.Title}: {problem.Detail}", problem.Line);
        }

        return (text.Length > 0 ? text.Trim() : $"the node answered {(int)response.StatusCode}", null);
    }

    /// <summary>The sentence for a node that does not answer.</summary>
    public string Unreachable(Exception failure)
    {
        string why = failure.GetBaseException() is SocketException socket ? socket.Message : failure.Message;
        return $"no node answers at {Url.GetLeftPart(UriPartial.Authority)} ({why}); start one with 'sketch serve', or name another with --url";
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        try
        {
            using HttpRequestMessage request = make();
            return await SendRawAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException failure)
        {
            throw new CommandException(Unreachable(failure));
        }
        catch (TaskCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException(Unreachable(failure));
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
            throw new CommandException(await SentenceAsync(response, cancellationToken).ConfigureAwait(false));
        try
        {
            return await response.Content.ReadFromJsonAsync(type, cancellationToken).ConfigureAwait(false)
                ?? throw new CommandException("the answer is empty; is --url a Sketch node?");
        }
        catch (JsonException)
        {
            throw new CommandException("the answer is not what a Sketch node sends; is --url right?");
        }
    }
}
