using Microsoft.Playwright;
using static Sketch.Tests.Integration.Page.OpenPage;

namespace Sketch.Tests.Integration.Page;

/// <summary>Pinned counters: numbers, bands, moments, items, history, and how a board is made and shared.</summary>
[Collection(nameof(PageNode))]
public sealed class BoardTests(PageNode node)
{
    [Fact]
    public async Task A_line_has_a_band_while_it_is_estimated_and_marks_the_moments_at_which_it_became_exact()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}&pin=page:/&pin=orders");
        ILocator tile = page.Tile("page:/");
        ILocator plot = tile.GetByTestId("plot");
        int batch = 0;
        bool hadBand = false;
        await Until(
            async () =>
            {
                hadBand |= await Data(tile, "lower") < await Data(tile, "upper");
                return hadBand && await Data(plot, "moments") >= 2 && await Data(plot, "points") > 10;
            },
            async () =>
            {
                await node.Count("page:/", 10);
                await node.Noise(batch++);
            },
            "a band, and two moments");

        // All is exact once nothing comes any more; the strong one always was.
        await See(tile.GetByTestId("exact"), "exact");
        await Assertions.Expect(tile.GetByTestId("spread")).ToHaveTextAsync("");
        await See(page.Tile("orders").GetByTestId("exact"), "exact");
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Stored_history_is_in_the_same_line_from_five_minutes_to_thirty_days()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}&pin=page:/docs");
        ILocator plot = page.Tile("page:/docs").GetByTestId("plot");
        double opened = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        await Until(async () => await Data(plot, "from") < opened - 1, () => node.Count("page:/docs", 1), "the line begins before the page was opened");
        foreach (string minutes in new[] { "15", "60", "360", "1440", "10080", "43200" })
        {
            await page["minutes"].SelectOptionAsync(minutes);
            Assert.Contains($"minutes={minutes}", page.Page.Url, StringComparison.Ordinal);
        }

        // Thirty days are told by the hour: the counter began within one.
        await Until(async () => await Data(plot, "from") % 3_600 == 0 && await Data(plot, "points") >= 2, "the line begins with a whole hour");
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Distinct_counters_and_the_items_of_top_ones_are_shown_with_their_bounds_and_reorder()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}&pin=visitors&pin=searches");
        ILocator visitors = page.Tile("visitors");
        await See(visitors.GetByTestId("kind"), "different");
        await Until(async () => await Data(visitors, "lower") <= 3_000 && await Data(visitors, "upper") >= 3_000, "the bounds hold the truth");
        await See(visitors.GetByTestId("spread"), "±");

        ILocator items = page.Tile("searches").GetByTestId("item");
        await See(items.First, "lamp");
        Assert.Equal(3, await items.CountAsync());
        await node.Count([new { name = "searches", element = "desk", delta = 100 }]);
        await See(items.First, "desk");
        Assert.Equal("140", await items.First.GetAttributeAsync("data-value"));

        // So does the list of the heaviest.
        string second = (await page["top-row"].Nth(1).GetAttributeAsync("data-name"))!;
        await node.Count(second, 1_000_000);
        await Until(async () => await page["top-row"].First.GetAttributeAsync("data-name") == second, "the second becomes the first");
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Counters_are_found_by_name_and_by_label_and_pinned_with_the_keyboard_alone()
    {
        await using OpenPage page = await node.Open($"#ns={PageNode.Namespace}&empty=1");
        await Seen(page["no-pins"]);
        IKeyboard keyboard = page.Page.Keyboard;
        await keyboard.PressAsync("/");
        // Enter, before the list of what was typed is there, takes the first of that list all the same.
        await keyboard.TypeAsync("page:/d");
        await keyboard.PressAsync("Enter");
        await Seen(page.Tile("page:/docs"));
        await keyboard.PressAsync("Escape");
        await keyboard.PressAsync("Escape");

        // Labels are suggested once a checkpoint has stored them.
        await Until(
            async () => await page.Page.GetByTestId("label-option").Filter(new() { HasText = "team=web" }).CountAsync() == 1,
            async () =>
            {
                await page["search"].BlurAsync();
                await page["search"].FocusAsync();
                await Task.Delay(500);
            },
            "the label is suggested");
        await keyboard.TypeAsync("team=web v");
        await keyboard.PressAsync("Enter");
        await Seen(page.Tile("visitors"));
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_shared_link_restores_the_board_and_pause_stops_its_numbers()
    {
        await using OpenPage first = await node.Open($"#ns={PageNode.Namespace}&pin=page:/&pin=orders");
        await first["minutes"].SelectOptionAsync("15");
        await first["confidence"].SelectOptionAsync("0.95");
        await first["lines"].SelectOptionAsync("0");
        await first["share"].ClickAsync();
        await Seen(first["notice"]);
        string hash = new Uri(first.Page.Url).Fragment;

        await using OpenPage second = await node.Open(hash);
        Assert.Equal(["page:/", "orders"], await second["tile"].EvaluateAllAsync<string[]>("tiles => tiles.map(tile => tile.dataset.name)"));
        await Assertions.Expect(second["minutes"]).ToHaveValueAsync("15");
        await Assertions.Expect(second["confidence"]).ToHaveValueAsync("0.95");
        await Assertions.Expect(second.Tile("orders").GetByTestId("plot")).ToBeHiddenAsync();
        await Until(async () => await Data(second.Tile("orders"), "value") > 0, "the number arrives");

        await first["pause"].ClickAsync();
        await See(first["status"], "paused");
        double before = (await Data(second.Tile("orders"), "value"))!.Value;
        double shown = (await Data(first.Tile("orders"), "value"))!.Value;
        await node.Count("orders", 5);
        await Until(async () => await Data(second.Tile("orders"), "value") >= before + 5, "the other page goes on");
        Assert.Equal(shown, await Data(first.Tile("orders"), "value"));
        await first["pause"].ClickAsync();
        await Until(async () => await Data(first.Tile("orders"), "value") >= before + 5, "it goes on where the counter is now");
    }
}
