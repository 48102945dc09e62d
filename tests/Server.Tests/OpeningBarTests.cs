using Sketch.Engine;
using Sketch.Server.Commands;
using Spectre.Console;

namespace Sketch.Tests.Server;

public class OpeningBarTests
{
    [Fact]
    public async Task A_node_that_takes_its_time_shows_how_far_it_is_and_one_that_does_not_shows_nothing()
    {
        OpeningProgress progress = new();
        progress.Begin(100, 300);
        progress.At(250);
        using StringWriter written = new();
        TextWriter shown = TextWriter.Synchronized(written);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, Interactive = InteractionSupport.Yes, Out = new AnsiConsoleOutput(shown) });

        string Shown()
        {
            lock (shown) // which is what it synchronizes with
            {
                return written.ToString();
            }
        }

        await OpeningBar.ShowAsync(console, progress, Task.CompletedTask, TimeProvider.System);
        Assert.Equal("", Shown());

        TaskCompletionSource opened = new();
        Task bar = OpeningBar.ShowAsync(console, progress, opened.Task, TimeProvider.System);
        await Until(() => Shown().Contains("75%", StringComparison.Ordinal));
        Assert.Contains("Replaying the log", Shown(), StringComparison.Ordinal);
        progress.At(300);
        progress.Loaded(1_234);
        await Until(() => Shown().Contains("Loading counters: 1,234", StringComparison.Ordinal));
        opened.SetResult();
        await bar;
        Assert.Contains("100%", Shown(), StringComparison.Ordinal);
    }

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; i < 600 && !condition(); i++)
        {
            await Task.Delay(50);
        }

        Assert.True(condition());
    }
}
