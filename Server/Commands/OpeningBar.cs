using Sketch.Engine;
using Spectre.Console;

namespace Sketch.Server.Commands;

/// <summary>How far a node is that opens: a bar for whoever looks at a terminal. A node that is ready at once shows none.</summary>
internal static class OpeningBar
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(100);

    /// <summary>Shows it until the node is open, or failed to.</summary>
    /// <param name="console">Where.</param>
    /// <param name="progress">What is shown.</param>
    /// <param name="opened">Ends when the node is open or failed; its outcome is the caller's affair.</param>
    /// <param name="time">The clock.</param>
    public static async Task ShowAsync(IAnsiConsole console, OpeningProgress progress, Task opened, TimeProvider time)
    {
        if (await IsOverAsync(opened, Grace, time).ConfigureAwait(false))
        {
            return;
        }

        await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask log = context.AddTask("Replaying the log");
                do
                {
                    log.MaxValue = Math.Max(1, progress.Records);
                    log.Value = progress.Replayed;
                    log.Description = progress.Counters == 0 ? "Replaying the log" : $"Loading counters: {progress.Counters:N0}";
                }
                while (!await IsOverAsync(opened, Refresh, time).ConfigureAwait(false));
                log.Value = log.MaxValue;
            }).ConfigureAwait(false);
    }

    private static async Task<bool> IsOverAsync(Task opened, TimeSpan within, TimeProvider time) =>
        await Task.WhenAny(opened, Task.Delay(within, time)).ConfigureAwait(false) == opened;
}
