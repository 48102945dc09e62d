using System.Net.Http.Headers;
using Microsoft.Playwright;
using static Sketch.Tests.Integration.Page.OpenPage;

namespace Sketch.Tests.Integration.Page;

/// <summary>For everyone: accessible, small, safe with any name, readable on a phone, and honest when something is missing.</summary>
[Collection(nameof(PageNode))]
public sealed class QualityTests(PageNode node)
{
    private const long MaxGzippedBytes = 300_000;

    private static readonly string[] Views = ["board", "overview", "sql", "alerts"];

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 375)]
    public async Task Every_view_is_free_of_serious_faults_of_accessibility_and_fits_its_window(ColorScheme scheme, int width)
    {
        string axe = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "node_modules", "axe-core", "axe.min.js"));
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}&pin=page:/&pin=searches&pin=visitors&pin=nobody%20yet", width, 800, scheme);
        await Until(async () => await Data(page.Tile("page:/"), "value") > 0 && await page["item"].CountAsync() > 0, "the board has values");
        await page.Page.EvaluateAsync(axe);
        foreach (string view in Views)
        {
            await page[$"tab-{view}"].ClickAsync();
            await Assertions.Expect(page[$"tab-{view}"]).ToHaveAttributeAsync("aria-current", "page");
            if (view == "sql")
            {
                await page["sql-run"].ClickAsync();
                await See(page["sql-note"], "read");
            }

            string faults = await page.Page.EvaluateAsync<string>(
                """
                async () => JSON.stringify((await axe.run()).violations
                  .filter(fault => fault.impact === 'serious' || fault.impact === 'critical')
                  .map(fault => `${fault.id}: ${fault.nodes.map(node => `${node.html} ${node.failureSummary}`).join(' | ')}`))
                """);
            Assert.True(faults == "[]", $"{view}: {faults}");
            int wide = await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
            Assert.True(wide <= width, $"{view} is {wide} pixels wide in a window of {width}");
        }

        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Names_labels_and_items_are_text_whatever_they_say()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}&pin={Uri.EscapeDataString(PageNode.Hostile)}&pin=searches");
        await See(page.Tile(PageNode.Hostile), PageNode.Hostile);
        await See(page.Tile("searches"), PageNode.Hostile);
        await See(page["top"], PageNode.Hostile);
        await page["search"].FillAsync("<img");
        await See(page["results"], PageNode.Hostile);
        await page["tab-sql"].ClickAsync();
        await page["sql"].FillAsync($"SELECT name, labels FROM counters WHERE namespace = '{PageNode.Namespace}' AND name LIKE '<img%'");
        await Until(
            async () =>
            {
                await page["sql-run"].ClickAsync();
                await See(page["sql-note"], "read");
                return (await page["sql-result"].InnerTextAsync()).Contains(PageNode.Hostile, StringComparison.Ordinal);
            },
            () => Task.Delay(500),
            "the counter is stored");
        Assert.Equal(0, await page.Page.Locator("img[src=x]").CountAsync());
        Assert.NotEqual("pwned", await page.Page.TitleAsync());
        Assert.Empty(page.Complaints);

        using HttpResponseMessage answer = await node.Client.GetAsync(new Uri("/", UriKind.Relative));
        string policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_that_the_page_loads_is_less_than_300_kB()
    {
        await using OpenPage page = await node.Blank();
        HashSet<string> loaded = [];
        page.Page.Response += (_, response) => loaded.Add(response.Url);
        await page.Page.GotoAsync($"{node.Node.Http}#ns={PageNode.Namespace}");
        await Seen(page["tile"]);
        string[] files = [.. loaded.Where(url => new Uri(url).AbsolutePath is var path && !path.StartsWith("/v1", StringComparison.Ordinal) && !path.StartsWith("/h", StringComparison.Ordinal))];
        Assert.All(files, url => Assert.Equal(node.Node.Http.Authority, new Uri(url).Authority));
        long bytes = 0;
        foreach (string url in files)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, url);
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
            using HttpResponseMessage answer = await node.Client.SendAsync(request);
            bytes += (await answer.Content.ReadAsByteArrayAsync()).Length;
        }

        Assert.True(files.Length >= 4, string.Join(", ", files));
        Assert.InRange(bytes, 50_000, MaxGzippedBytes);
    }

    [Fact]
    public async Task The_theme_follows_the_system_until_it_is_chosen_and_is_remembered()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}", scheme: ColorScheme.Dark);
        Task<string> Background() => page.Page.EvaluateAsync<string>("getComputedStyle(document.documentElement).backgroundColor");
        string dark = await Background();
        await page["theme"].ClickAsync();
        string light = await Background();
        Assert.NotEqual(dark, light);
        await page.Page.ReloadAsync();
        await Seen(page["theme"]);
        Assert.Equal(light, await Background());
    }

    [Fact]
    public async Task A_page_without_news_says_so_and_comes_back_by_itself()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}&pin=orders");
        await See(page["status"], "live");
        await Until(async () => await Data(page.Tile("orders"), "value") > 0, "the number arrives");
        await node.Node.Freeze();
        try
        {
            await See(page["status"], "no news for");
        }
        finally
        {
            await node.Node.Thaw();
        }

        await See(page["status"], "live");
    }

    [Theory]
    [InlineData("{\"namespaces\":[]}", "", "no-namespaces")]
    [InlineData(null, "", "unreachable")]
    [InlineData("{\"namespaces\":[]}", "#ns=nobody", "unknown-namespace")]
    [InlineData("", "#ns=bare", "no-counters")]
    [InlineData("", $"#ns={PageNode.Namespace}&empty=1", "no-pins")]
    public async Task What_is_empty_or_away_says_what_to_do(string? answer, string hash, string expected)
    {
        await node.Put("/v1/namespaces/bare", new { });
        await using OpenPage page = await node.Blank();
        if (answer is null)
        {
            await page.Page.RouteAsync("**/v1/namespaces", route => route.AbortAsync());
        }
        else if (answer.Length > 0)
        {
            await page.Page.RouteAsync("**/v1/namespaces", route => route.FulfillAsync(new() { ContentType = "application/json", Body = answer }));
        }

        await page.Page.GotoAsync($"{node.Node.Http}{hash}");
        await Seen(page[expected]);
        Assert.NotEqual("", await page[expected].Locator("p").First.InnerTextAsync());
    }
}
