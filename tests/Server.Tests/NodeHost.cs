using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Sketch.Engine.Log;
using Sketch.Server.Hosting;
using Sketch.Tests.Engine;

namespace Sketch.Tests.Server;

/// <summary>A node on free ports with the real log and engine, in a folder of its own.</summary>
internal sealed class NodeHost : IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private NodeHost(Node node, MemoryStore store, string folder)
    {
        Node = node;
        Store = store;
        Folder = folder;
        Http = new HttpClient { BaseAddress = node.Http, Timeout = Deadline };
    }

    public Node Node { get; }

    public MemoryStore Store { get; }

    public string Folder { get; }

    public HttpClient Http { get; }

    public static string NewFolder() => Directory.CreateTempSubdirectory("sketch-server-").FullName;

    public static async Task<NodeHost> StartAsync(Func<ServeOptions, ServeOptions>? options = null, string? folder = null, MemoryStore? store = null, int httpPort = 0)
    {
        folder ??= NewFolder();
        store ??= new MemoryStore();
        ServeOptions chosen = new() { Data = folder, HttpPort = httpPort, SqlPort = 0, WindowSeconds = 1, SketchMemoryBytes = 1 << 20, Node = "test" };
        Node node = await Node.StartAsync(options?.Invoke(chosen) ?? chosen, Seams(store), new ConfigurationBuilder().Build(), null, default);
        return new NodeHost(node, store, folder);
    }

    public static NodeSeams Seams(MemoryStore store) => new()
    {
        OpenLog = async (options, time, cancellationToken) =>
            await EmbeddedLog.OpenAsync(new EmbeddedLogOptions { Folder = Path.Combine(options.Data, "log"), SegmentBytes = 8 << 20 }, time, cancellationToken),
        OpenStore = (_, _, _, _) => Task.FromResult(new OpenStore(store, null, [])),
    };

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, (string?)null);

    public Task<Answer> PutAsync(string path, string json) => SendAsync(HttpMethod.Put, path, json);

    public Task<Answer> PostAsync(string path, string body, string contentType = "application/json") => SendAsync(HttpMethod.Post, path, body, contentType);

    public Task<Answer> SendAsync(HttpMethod method, string path, string? body, string contentType = "application/json") =>
        SendAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), contentType);

    public async Task<Answer> SendAsync(HttpMethod method, string path, byte[]? body, string contentType = "application/json")
    {
        using HttpRequestMessage request = new(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            if (contentType.Length > 0)
            {
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
            }
        }

        using HttpResponseMessage response = await Http.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    public async Task<long> ValueAsync(string @namespace, string name)
    {
        Answer answer = await GetAsync($"/v1/namespaces/{@namespace}/counters/{Uri.EscapeDataString(name)}");
        return answer.Status == 404 ? 0 : answer.Json.GetProperty("value").GetInt64();
    }

    /// <summary>Waits until a counter has a value; acknowledged is not yet visible except in the tier strong.</summary>
    public async Task WaitForValueAsync(string @namespace, string name, long value)
    {
        using CancellationTokenSource deadline = new(Deadline);
        while (await ValueAsync(@namespace, name) != value)
        {
            await Task.Delay(10, deadline.Token);
        }
    }

    /// <summary>Waits until it is so.</summary>
    public async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using CancellationTokenSource deadline = new(Deadline);
        while (!await condition())
        {
            await Task.Delay(10, deadline.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Node.DisposeAsync();
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}

/// <summary>An answer, read whole.</summary>
internal sealed record Answer(int Status, string ContentType, string Text, HttpResponseHeaders Headers)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public static async Task<Answer> ReadAsync(HttpResponseMessage response) => new(
        (int)response.StatusCode,
        response.Content.Headers.ContentType?.MediaType ?? "",
        await response.Content.ReadAsStringAsync(),
        response.Headers);

    /// <summary>Checks a problem's three members; each is matched by a part of it.</summary>
    public Answer IsProblem(int status, string field, string value, string allowed)
    {
        Assert.Equal((status, "application/problem+json"), (Status, ContentType));
        JsonElement problem = Json;
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.Equal(field, problem.GetProperty("field").GetString());
        Assert.Contains(value, problem.GetProperty("value").GetString(), StringComparison.Ordinal);
        Assert.Contains(allowed, problem.GetProperty("allowed").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("urn:sketch:problem:", problem.GetProperty("type").GetString(), StringComparison.Ordinal);
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        Assert.Contains("; allowed: ", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        return this;
    }
}
