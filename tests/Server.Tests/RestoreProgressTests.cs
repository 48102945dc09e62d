using Sketch.Server.Commands;
using Spectre.Console;

namespace Sketch.Tests.Server;

/// <summary>What people see of a restore, and what logs see.</summary>
public sealed class RestoreProgressTests : IDisposable
{
    private readonly StringWriter _error = new();

    [Fact]
    public async Task Bars_say_what_is_done_how_much_and_how_long_it_will_go_on()
    {
        await RestoreProgress.ShowAsync(Terminal(), async (progress, _) =>
        {
            await SeesAsync("Copying the backup");
            progress("copy", 30, 200);
            await SeesAsync("15%");
            await SeesAsync("--:--:--"); // nobody knows yet
            progress("copy", 100, 200);
            await SeesAsync("50%");
            await SeesAsync("00:00:");
            progress("copy", 200, 200);
            await SeesAsync("100%");
            progress("restore", 250, 1_000);
            await SeesAsync("Restoring ClickHouse");
            await SeesAsync("25%");
            progress("restore", 1_000, 1_000);
        }, default);
        string last = _error.ToString();
        Assert.Equal(2, last[last.LastIndexOf("Copying the backup", StringComparison.Ordinal)..].Split("100%").Length - 1);
    }

    [Fact]
    public async Task Logs_get_no_bars_and_a_failure_is_handed_on()
    {
        await RestoreProgress.ShowAsync(null, (progress, _) =>
        {
            progress("copy", 1, 2);
            return Task.CompletedTask;
        }, default);
        Assert.Equal("", _error.ToString());
        await Assert.ThrowsAsync<IOException>(() => RestoreProgress.ShowAsync(Terminal(), (_, _) => throw new IOException("disk"), default));
    }

    public void Dispose() => _error.Dispose();

    private IAnsiConsole Terminal()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(TextWriter.Synchronized(_error)),
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.Yes,
        });
        console.Profile.Width = 120;
        return console;
    }

    private async Task SeesAsync(string text)
    {
        using CancellationTokenSource deadline = new(NodeHost.Deadline);
        while (!Shown().Contains(text, StringComparison.Ordinal))
        {
            await Task.Delay(10, deadline.Token);
        }
    }

    private string Shown()
    {
        try
        {
            return _error.ToString();
        }
        catch (ArgumentException)
        {
            return ""; // it was written just then
        }
    }
}
