using System.Globalization;
using System.Net.Http.Json;
using Microsoft.Playwright;

namespace Sketch.Tests.Integration;

/// <summary>The page in a real browser, against a real node.</summary>
public sealed class BrowserTests
{
    private const string Namespace = "shop";
    private const string Counter = "views <b>of</b> the \u00E9tag\u00E8re";

    private static readonly string[] ChromiumOptions =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    [Fact]
    public async Task A_counter_rises_on_the_page_with_its_band_and_becomes_exact_and_equal_to_SQL()
    {
        // A sketch of 4 KiB and a window that stays open: the band is visible until the node starts again with short windows.
        await using NodeProcess node = await NodeProcess.StartNew("--no-demo", "--sketch-memory", "4096", "--window", "3600");
        using HttpClient client = new() { BaseAddress = node.Http };
        await Put(client, $"/v1/namespaces/{Namespace}", new { tier = "approximate" });
        long sent = await Send(client, 1, 100);

        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium(), Args = ChromiumOptions });
        IPage page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1280, Height = 900 } });
        List<string> complaints = [];
        page.PageError += (_, error) => complaints.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                complaints.Add(message.Text);
            }
        };
        await page.GotoAsync(node.Http.ToString());

        // The heaviest counter is on the board by itself; another one is picked as a person does: namespace, search, choose.
        await page.GetByTestId("namespace").SelectOptionAsync(Namespace);
        ILocator tile = page.Locator($"[data-testid=tile][data-name='{Counter}']");
        await Assertions.Expect(tile).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await page.GetByTestId("search").FillAsync("noise 77");
        await page.Locator("[data-testid=result][data-name='noise 777']").ClickAsync();
        await Assertions.Expect(page.Locator("[data-testid=tile][data-name='noise 777']")).ToBeVisibleAsync();
        await Until(async () => await Number(tile, "value") > 0, "the tile shows a value");
        Assert.Equal(0, await page.Locator("[data-testid=tile] b").CountAsync());

        long shown = await Number(tile, "value");
        for (int batch = 2; batch <= 6; batch++)
        {
            sent += await Send(client, batch, 500);
            long before = shown;
            await Until(async () => (shown = await Number(tile, "value")) > before, $"the value rises above {before}");
        }

        await Until(async () => await Number(tile, "upper") >= sent, "the upper bound reaches what was sent");
        Assert.True(await Number(tile, "lower") <= sent);
        Assert.True(await Number(tile, "lower") < await Number(tile, "upper"), "the band can be seen");
        Assert.DoesNotContain("exact", await Badge(tile), StringComparison.OrdinalIgnoreCase);
        Assert.Empty(complaints);

        // Short windows from here on. The page reconnects by itself, and the value becomes exact.
        await node.Stop();
        await Assertions.Expect(page.GetByTestId("status")).ToHaveTextAsync("reconnecting", new() { Timeout = 30_000 });
        await node.Start("--no-demo", "--window", "1");
        await Until(
            async () => await Number(tile, "value") == sent && (await Badge(tile)).Contains("exact", StringComparison.OrdinalIgnoreCase),
            "the value is exact", seconds: 60);

        string sql = await Command.Sketch(
            "sql", $"SELECT value FROM totals WHERE namespace = '{Namespace}' AND name = '{Counter}' FORMAT TabSeparated", "--url", node.Sql.ToString());
        Assert.Contains(sent.ToString(CultureInfo.InvariantCulture), sql, StringComparison.Ordinal);
    }

    private static async Task Put(HttpClient client, string path, object body)
    {
        using HttpResponseMessage answer = await client.PutAsJsonAsync(path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    // The counter's increments, among enough others that a small sketch can't tell them all apart.
    private static async Task<long> Send(HttpClient client, int batch, int delta)
    {
        var others = Enumerable.Range(0, 3_000).Select(i => new { name = $"noise {i}", delta = 3L });
        using HttpResponseMessage answer = await client.PostAsJsonAsync(
            $"/v1/namespaces/{Namespace}/increments",
            new { producer = "shop", sequence = batch, increments = others.Append(new { name = Counter, delta = (long)delta }) });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return delta;
    }

    private static Task<string> Badge(ILocator tile) => tile.GetByTestId("exact").InnerTextAsync();

    private static async Task<long> Number(ILocator tile, string part)
    {
        string text = await tile.GetByTestId(part).First.InnerTextAsync();
        string digits = new([.. text.Where(char.IsAsciiDigit)]);
        return digits.Length == 0 ? 0 : long.Parse(digits, CultureInfo.InvariantCulture);
    }

    private static async Task Until(Func<Task<bool>> condition, string what, int seconds = 30)
    {
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(seconds));
        while (!await condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"{what}: not within {seconds} s");
            await Task.Delay(50);
        }
    }

    private static string Chromium()
    {
        string? found = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);
        return found ?? throw new InvalidOperationException("The browser tests need Chromium: apt-get install -y chromium");
    }
}
