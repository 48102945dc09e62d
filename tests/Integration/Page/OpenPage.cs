using System.Globalization;
using Microsoft.Playwright;

namespace Sketch.Tests.Integration.Page;

/// <summary>An open page, and what it complained of.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    public OpenPage(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        page.PageError += (_, error) => _complaints.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                _complaints.Add(message.Text);
            }
        };
    }

    public IPage Page { get; }

    /// <summary>Errors of scripts and breaches of the content security policy.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    public ILocator this[string testId] => Page.GetByTestId(testId);

    public ILocator Tile(string name) => Page.Locator($"[data-testid=tile][data-name=\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"]");

    /// <summary>A number that an element carries beside its text; null before it has one.</summary>
    public static async Task<double?> Data(ILocator element, string name) =>
        double.TryParse(await element.GetAttributeAsync($"data-{name}"), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;

    public static Task See(ILocator element, string text) => Assertions.Expect(element).ToContainTextAsync(text, new() { Timeout = 60_000 });

    public static Task Seen(ILocator element) => Assertions.Expect(element.First).ToBeVisibleAsync(new() { Timeout = 60_000 });

    /// <summary>Waits for something that comes by itself.</summary>
    public static Task Until(Func<Task<bool>> condition, string what) => Until(condition, () => Task.CompletedTask, what);

    /// <summary>Does something again and again until a condition holds.</summary>
    public static async Task Until(Func<Task<bool>> condition, Func<Task> meanwhile, string what)
    {
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"{what}: not within 60 s");
            await meanwhile();
            await Task.Delay(50);
        }
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
