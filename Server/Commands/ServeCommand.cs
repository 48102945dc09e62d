using System.CommandLine;
using System.Diagnostics;
using Sketch.Server.Hosting;

namespace Sketch.Server.Commands;

/// <summary><c>sketch serve</c>: runs a node until it is asked to stop or fails.</summary>
internal static class ServeCommand
{
    // A node that failed must be gone within a second, whatever still hangs.
    private static readonly TimeSpan FailedCloseTime = TimeSpan.FromMilliseconds(700);

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Command command = new("serve", "Run a node: REST, live hub, dashboard and SQL on 127.0.0.1.");
        Fill(command, terminal, bare: false);
        return command.WithExamples(
            "sketch serve",
            "sketch serve --data /var/lib/sketch --http-port 8080 --sql-port 8123",
            "SKETCH__HTTP_PORT=9000 sketch serve          every option is a setting, also in appsettings.json: {\"Sketch\": {\"HttpPort\": 9000}}");
    }

    /// <summary>Gives a command the options of a node, and what runs it.</summary>
    public static void Fill(Command command, Terminal terminal, bool bare)
    {
        Dictionary<string, Option<string?>> options = [];
        Option<bool> demo = new("--demo") { Description = "Send demo traffic into the namespace demo." };
        Option<bool> noDemo = new("--no-demo") { Description = "Send no demo traffic." };
        foreach (ServeSettings.Setting setting in ServeSettings.All.Where(s => s.ValueName is not null))
        {
            Option<string?> option = new("--" + setting.Name) { Description = setting.Description, HelpName = setting.ValueName };
            options.Add(setting.Name, option);
            command.Add(option);
        }

        command.Add(demo);
        command.Add(noDemo);
        command.Validators.Add(result =>
        {
            if (result.GetValue(demo) && result.GetValue(noDemo))
                result.AddError("--demo and --no-demo are both given; allowed: one of them");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            Dictionary<string, string> given = [];
            foreach ((string name, Option<string?> option) in options)
            {
                if (parsed.GetValue(option) is { } value)
                    given.Add(name, value);
            }

            if (parsed.GetValue(demo) || parsed.GetValue(noDemo))
                given["demo"] = parsed.GetValue(demo) ? "true" : "false";
            IConfigurationRoot configuration = ServeSettings.Configuration();
            ServeOptions serve = ServeSettings.Bind(configuration, given) with { Bare = bare };
            BatchScheduling.Use(); // before the pool has threads
            return RunAsync(serve, NodeParts.Real, configuration, terminal, cancellationToken);
        });
    }

    private static async Task<int> RunAsync(
        ServeOptions options, NodeSeams seams, IConfiguration configuration, Terminal terminal, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        Node node;
        TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task bar = Task.CompletedTask;
        try
        {
            node = await Node.StartAsync(options, seams, configuration, Listening, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Done;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidOperationException or NotSupportedException)
        {
            throw new CommandException($"the node can't open: {failure.Message}");
        }
        finally
        {
            opened.SetResult();
            await bar.ConfigureAwait(false);
        }

        Banner.WriteReady(terminal.Output, node, Stopwatch.GetElapsedTime(started));
        Task stop = Task.Delay(Timeout.Infinite, cancellationToken);
        if (await Task.WhenAny(stop, node.Failed).ConfigureAwait(false) == stop)
        {
            await terminal.Output.WriteLineAsync("Stopping: answering what was asked, then closing the log.").ConfigureAwait(false);
            await node.DisposeAsync().ConfigureAwait(false);
            return ExitCode.Done;
        }

        await terminal.Error.WriteLineAsync($"sketch: the node can go no further: {await node.Failed.ConfigureAwait(false)}").ConfigureAwait(false);
        await Task.WhenAny(node.DisposeAsync().AsTask(), Task.Delay(FailedCloseTime, CancellationToken.None)).ConfigureAwait(false);
        Environment.Exit(ExitCode.Failed);
        return ExitCode.Failed;

        void Listening(Node listening)
        {
            Banner.Write(terminal.Output, listening, options);
            if (terminal.IsInteractive)
                bar = OpeningBar.ShowAsync(ValueTables.Console(terminal.Error, true), listening.Opening, opened.Task, TimeProvider.System);
        }
    }
}
