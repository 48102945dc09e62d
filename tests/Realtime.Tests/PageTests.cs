using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Sketch.Realtime;
using Sketch.Realtime.Pages;

namespace Sketch.Tests.Realtime;

public sealed class PageTests
{
    [Fact]
    public async Task Without_a_built_page_the_answer_says_how_to_build_it()
    {
        await using var host = await LiveHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Url };
        using var answer = await http.GetAsync(new Uri("/", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("npm run build --workspace Realtime/dashboard", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.OK)]
    [InlineData("self", HttpStatusCode.OK)]
    [InlineData("https://friend.example", HttpStatusCode.OK)]
    [InlineData("https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    public async Task The_hub_answers_pages_of_its_own_and_of_allowed_origins(string? origin, HttpStatusCode expected)
    {
        await using var host = await LiveHost.StartAsync(options => options.AllowedOrigins.Add("https://friend.example/"));
        using var http = new HttpClient { BaseAddress = host.Url };
        using var request = new HttpRequestMessage(HttpMethod.Post, RealtimeEndpointExtensions.HubPath + "/negotiate?negotiateVersion=1");
        if (origin is not null)
            request.Headers.Add("Origin", origin == "self" ? host.Url.GetLeftPart(UriPartial.Authority) : origin);
        using var answer = await http.SendAsync(request);
        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task The_page_comes_with_a_strict_policy_and_is_asked_for_again_while_its_assets_are_kept()
    {
        await using var app = await ServeAsync(("index.html", "<title>Sketch</title>"), ("assets/main-a1b2.js", new string('x', 5_000)), ("icon.svg", "<svg/>"));
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };

        using var page = await http.GetAsync(new Uri("/", UriKind.Relative));
        Assert.Equal("<title>Sketch</title>", await page.Content.ReadAsStringAsync());
        Assert.Equal("text/html; charset=utf-8", page.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-cache", page.Headers.CacheControl!.ToString());
        string policy = page.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());

        using var asset = await http.GetAsync(new Uri("/assets/main-a1b2.js", UriKind.Relative));
        Assert.Equal("public, max-age=31536000, immutable", asset.Headers.CacheControl!.ToString());
        Assert.Equal("text/javascript; charset=utf-8", asset.Content.Headers.ContentType!.ToString());

        using var again = new HttpRequestMessage(HttpMethod.Get, "/");
        again.Headers.IfNoneMatch.Add(page.Headers.ETag!);
        using var unchanged = await http.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);

        foreach (string path in new[] { "/other.html", "/assets/", "/assets/../Sketch.Realtime.dll", "/%2e%2e/Sketch.Realtime.dll" })
        {
            using var missing = await http.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        }
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    [InlineData("identity")]
    public async Task Files_are_sent_compressed_to_those_who_can_read_them(string encoding)
    {
        string script = string.Concat(Enumerable.Repeat("let counter = 1;\n", 500));
        await using var app = await ServeAsync(("index.html", ""), ("assets/main.js", script));
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        http.DefaultRequestHeaders.Add("Accept-Encoding", encoding);

        using var answer = await http.GetAsync(new Uri("/assets/main.js", UriKind.Relative));
        Assert.Equal(encoding == "identity" ? [] : [encoding], answer.Content.Headers.ContentEncoding);
        Assert.Equal(["Accept-Encoding"], answer.Headers.Vary);
        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        Assert.True(encoding == "identity" || body.Length < script.Length / 10);
        await using Stream plain = encoding switch
        {
            "br" => new BrotliStream(new MemoryStream(body), CompressionMode.Decompress),
            "gzip" => new GZipStream(new MemoryStream(body), CompressionMode.Decompress),
            _ => new MemoryStream(body),
        };
        Assert.Equal(script, await new StreamReader(plain).ReadToEndAsync());

        using var head = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/assets/main.js"));
        Assert.Equal(body.Length, head.Content.Headers.ContentLength);
    }

    private static async Task<WebApplication> ServeAsync(params (string Path, string Content)[] files)
    {
        var root = Directory.CreateTempSubdirectory("sketch-page-");
        foreach (var (path, content) in files)
        {
            string file = Path.Combine(root.FullName, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, content);
        }

        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        DashboardPages.Map(app, root.FullName);
        root.Delete(recursive: true);
        await app.StartAsync();
        return app;
    }
}
