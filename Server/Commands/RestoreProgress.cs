using Spectre.Console;

namespace Sketch.Server.Commands;

/// <summary>Shows how far a restore is, and how long it will go on: two bars for people, nothing in logs.</summary>
internal static class RestoreProgress
{
    /// <summary>Runs a restore and shows it until it ends.</summary>
    /// <param name="console">Where people look; null when nobody does.</param>
    /// <param name="run">The restore; it tells of "copy" and "restore" how much is done of how much.</param>
    /// <param name="cancellationToken">Handed to it.</param>
    public static async Task ShowAsync(IAnsiConsole? console, Func<Action<string, long, long>, CancellationToken, Task> run, CancellationToken cancellationToken)
    {
        if (console is null)
        {
            await run((_, _, _) => { }, cancellationToken).ConfigureAwait(false);
            return;
        }

        await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new SpinnerColumn())
            .StartAsync(async context =>
            {
                Dictionary<string, ProgressTask> tasks = new()
                {
                    ["copy"] = context.AddTask("Copying the backup"),
                    ["restore"] = context.AddTask("Restoring ClickHouse", autoStart: false),
                };
                await run(
                    (what, done, all) =>
                    {
                        ProgressTask task = tasks[what];
                        if (!task.IsStarted)
                            task.StartTask();
                        task.MaxValue = all;
                        task.Value = done;
                    }, cancellationToken).ConfigureAwait(false);
            }).ConfigureAwait(false);
    }
}
