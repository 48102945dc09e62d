using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;

namespace Sketch.Tests.Integration.Page;

/// <summary>One node and one browser for all tests of the page; each test has a browser context of its own.</summary>
public sealed class PageNode : IAsyncLifetime, IDisposable
{
    /// <summary>Where the tests count.</summary>
    public const string Namespace = "shop";

    /// <summary>A name that would run if it were taken for markup.</summary>
    public const string Hostile = "<img src=x onerror=\"document.title='pwned'\">";

    private static readonly string[] ChromiumOptions =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private NodeProcess? _node;
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private HttpClient? _client;

    internal NodeProcess Node => _node!;

    internal HttpClient Client => _client!;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        // A sketch of 4 KiB, so that bands can be seen; windows of two seconds, so that values become exact while a test looks.
        _node = await NodeProcess.StartNew("--no-demo", "--sketch-memory", "4096", "--window", "2", "--checkpoint-every", "2");
        _client = new HttpClient { BaseAddress = _node.Http };
        await Put($"/v1/namespaces/{Namespace}", new { });
        await Put($"/v1/namespaces/{Namespace}/counters/orders", new { tier = "strong", labels = new { team = "sales" } });
        await Put($"/v1/namespaces/{Namespace}/counters/visitors", new { kind = "distinct", labels = new { team = "web" } });
        await Put($"/v1/namespaces/{Namespace}/counters/searches", new { kind = "top", labels = new { team = "web" } });
        await Put($"/v1/namespaces/{Namespace}/counters/{Uri.EscapeDataString(Hostile)}", new { labels = new Dictionary<string, string> { ["note"] = Hostile } });
        await Count(
            [
                new { name = "orders", delta = 7 }, new { name = Hostile, delta = 90_000 }, new { name = "page:/", delta = 80_000 }, new { name = "page:/docs", delta = 70_000 },
                .. Enumerable.Range(0, 3_000).Select(i => new { name = "visitors", element = $"person {i}" }),
                new { name = "searches", element = "lamp", delta = 50 }, new { name = "searches", element = "desk", delta = 40 }, new { name = "searches", element = Hostile, delta = 30 },
            ]);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium(), Args = ChromiumOptions });
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client?.Dispose();

    /// <summary>The page in a window of its own, at an address's part behind #.</summary>
    internal async Task<OpenPage> Open(string hash, int width = 1280, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        IBrowserContext context = await _browser!.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme });
        context.SetDefaultTimeout(60_000);
        OpenPage page = new(context, await context.NewPageAsync());
        await page.Page.GotoAsync($"{Node.Http}{hash}");
        return page;
    }

    /// <summary>A page before it is loaded, for those that answer requests in the node's place.</summary>
    internal async Task<OpenPage> Blank()
    {
        IBrowserContext context = await _browser!.NewContextAsync();
        context.SetDefaultTimeout(60_000);
        return new OpenPage(context, await context.NewPageAsync());
    }

    internal async Task Put(string path, object body)
    {
        using HttpResponseMessage answer = await Client.PutAsJsonAsync(path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    internal async Task Count(IEnumerable<object> increments)
    {
        using HttpResponseMessage answer = await Client.PostAsJsonAsync($"/v1/namespaces/{Namespace}/increments", new { increments });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    internal Task Count(string name, long delta) => Count([new { name, delta }]);

    /// <summary>So many names that a small sketch can't tell all of them apart.</summary>
    internal Task Noise(int batch) => Count(Enumerable.Range(0, 3_000).Select(i => new { name = $"noise {i + (batch % 3)}", delta = 3L }));

    internal async Task<JsonElement> Get(string path) => await Client.GetFromJsonAsync<JsonElement>(path);

    private static string Chromium()
    {
        string? found = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);
        return found ?? throw new InvalidOperationException("The browser tests need Chromium: apt-get install -y chromium");
    }
}

/// <summary>Tests of the page share one node and one browser.</summary>
[CollectionDefinition(nameof(PageNode))]
public sealed class PageCollection : ICollectionFixture<PageNode>;
