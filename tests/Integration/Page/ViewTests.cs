using System.Text.Json;
using Microsoft.Playwright;
using static Sketch.Tests.Integration.Page.OpenPage;

namespace Sketch.Tests.Integration.Page;

/// <summary>The views beside the board: the node, SQL, alerts.</summary>
[Collection(nameof(PageNode))]
public sealed class ViewTests(PageNode node)
{
    [Fact]
    public async Task The_overview_tells_the_nodes_rate_its_backlog_and_how_often_bounds_held()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}");
        await page["tab-overview"].FocusAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        int batch = 0;
        await Until(
            async () => (await page["rate"].InnerTextAsync()).Any(c => c is >= '1' and <= '9')
                && (await page["audit"].InnerTextAsync()).Contains('%', StringComparison.Ordinal)
                && (await page["backlog"].InnerTextAsync()).Contains("batch", StringComparison.Ordinal),
            () => node.Noise(batch++),
            "rate, audit and backlog have figures");
        ILocator row = page["namespaces"].Locator($"tr[data-name={PageNode.Namespace}]");
        await See(row, "approximate");
        await See(row, "%");
        await Seen(page["checkpoints"].Locator("tbody tr"));

        await row.GetByRole(AriaRole.Button).ClickAsync();
        await Seen(page["board"]);
        await page.Page.GoBackAsync();
        await Seen(page["overview"]);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Statements_are_answered_as_a_table_and_a_chart_and_refused_in_words()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}&view=sql");
        await page["sql"].FillAsync($"SELECT name, value, toInt64(9223372036854775807) AS large FROM totals WHERE namespace = '{PageNode.Namespace}' AND name LIKE 'page:%' ORDER BY name");
        await Until(
            async () =>
            {
                await page.Page.Keyboard.PressAsync("Control+Enter");
                await See(page["sql-note"], "read");
                return await page["sql-table"].Locator("tbody tr").CountAsync() == 2;
            },
            () => Task.Delay(500),
            "both pages are stored");
        await See(page["sql-table"], "9,223,372,036,854,775,807");
        await page["sql-form-chart"].ClickAsync();
        await Seen(page["sql-plot"].Locator("canvas"));
        await page["sql-form-table"].ClickAsync();

        await page["sql-examples"].SelectOptionAsync(new SelectOptionValue { Label = "Checkpoints" });
        await See(page["sql-result"], "last_time");
        await page["sql"].FillAsync("DROP TABLE totals");
        await page["sql-run"].ClickAsync();
        await See(page["sql-error"], "DROP");
        await page["sql"].FillAsync("SELECT name FROM totals WHERE namespace = 'nobody'");
        await page["sql-run"].ClickAsync();
        await Seen(page["sql-empty"]);

        // The address has the statement, and opens with its answer.
        await using OpenPage again = await node.Open(new Uri(page.Page.Url).Fragment);
        await Seen(again["sql-empty"]);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_rule_is_made_fires_and_is_deleted_on_the_page()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}&view=alerts");
        await page["alert-id"].FillAsync("busy");
        await page["alert-counter"].FillAsync("orders");
        JsonElement orders = await node.Get($"/v1/namespaces/{PageNode.Namespace}/counters/orders");
        await page["alert-limit"].FillAsync($"{orders.GetProperty("value").GetInt64() + 100}");
        await page["alert-for"].FillAsync("1");
        await page["alert-confidence"].FillAsync("99.9");
        await page["alert-webhook"].FillAsync("http://127.0.0.1:9/alerts");
        await page["alert-save"].ClickAsync();
        await Assertions.Expect(page["alert-note"]).ToContainTextAsync("signed with", new() { Timeout = 60_000 });
        ILocator rule = page.Page.Locator("[data-testid=alert][data-id=busy]");
        await Assertions.Expect(rule).ToHaveAttributeAsync("data-state", "ok", new() { Timeout = 60_000 });
        await Assertions.Expect(page["firing"]).ToBeHiddenAsync();

        await node.Count("orders", 101);
        await Assertions.Expect(rule).ToHaveAttributeAsync("data-state", "firing", new() { Timeout = 60_000 });
        await See(page["firing"], "1");
        JsonElement alert = await node.Get($"/v1/namespaces/{PageNode.Namespace}/alerts/busy");
        Assert.Equal(
            (1, 0.999, "http://127.0.0.1:9/alerts"),
            (alert.GetProperty("forSeconds").GetInt32(), alert.GetProperty("confidence").GetDouble(), alert.GetProperty("webhook").GetProperty("url").GetString()));

        await rule.GetByTestId("alert-delete").ClickAsync();
        await Assertions.Expect(rule).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        await Assertions.Expect(page["firing"]).ToBeHiddenAsync();
        Assert.Empty(page.Complaints);
    }
}
