using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Sketch.Server.Hosting;

namespace Sketch.Server.Commands;

/// <summary>The command line: <c>sketch serve | load | get | top | watch | sql | backup | restore | verify | log | plan | bench</c>. Without arguments it serves.</summary>
internal static class CommandLine
{
    // A node may need this long to drain, fsync and let ClickHouse finish after SIGTERM; then the process ends anyway.
    private static readonly TimeSpan TerminationTime = TimeSpan.FromSeconds(30);

    /// <summary>Runs a command line.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancellationToken = default)
    {
        ParseResult parsed = Root(terminal, args.Length == 0).Parse(args, new ParserConfiguration { EnablePosixBundling = false });
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithExamples)
        {
            foreach (ParseError error in parsed.Errors)
                await terminal.Error.WriteLineAsync("sketch: " + error.Message).ConfigureAwait(false);
            await terminal.Error.WriteLineAsync($"Try '{Path(parsed.CommandResult)} --help'.").ConfigureAwait(false);
            return ExitCode.Usage;
        }

        InvocationConfiguration invocation = new()
        {
            Output = terminal.Output,
            Error = terminal.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TerminationTime,
        };
        try
        {
            return await parsed.InvokeAsync(invocation, cancellationToken).ConfigureAwait(false);
        }
        catch (SettingException refused)
        {
            await terminal.Error.WriteLineAsync("sketch: " + refused.Message).ConfigureAwait(false);
            return refused.ExitStatus;
        }
        catch (CommandException failed)
        {
            await terminal.Error.WriteLineAsync("sketch: " + failed.Message).ConfigureAwait(false);
            return failed.ExitStatus;
        }
        catch (OperationCanceledException)
        {
            await terminal.Error.WriteLineAsync("sketch: interrupted").ConfigureAwait(false);
            return ExitCode.Failed;
        }
    }

    private static RootCommand Root(Terminal terminal, bool bare)
    {
        RootCommand root = new("Counters with live values, honest bounds and exact totals. Without a command it serves, with demo traffic while it holds nothing else.");
        ServeCommand.Fill(root, terminal, bare);
        root.Add(ServeCommand.Create(terminal));
        root.Add(LoadCommand.Create(terminal));
        root.Add(GetCommand.Create(terminal));
        root.Add(TopCommand.Create(terminal));
        root.Add(WatchCommand.Create(terminal));
        root.Add(SqlCommand.Create(terminal));
        root.Add(BackupCommand.Create(terminal));
        root.Add(RestoreCommand.Create(terminal));
        root.Add(VerifyCommand.Create(terminal));
        root.Add(LogCommand.Create(terminal));
        root.Add(SchemaCommand.Create(terminal));
        root.Add(PlanCommand.Create(terminal));
        root.Add(BenchCommand.Create(terminal));
        root.WithExamples("sketch", "sketch load book.txt --namespace words --split words", "sketch top words", "sketch sql \"SELECT count() FROM counters\"");
        return root;
    }

    /// <summary>Adds examples below a command's help.</summary>
    public static T WithExamples<T>(this T command, params string[] examples)
        where T : Command
    {
        HelpOption? help = command.Options.OfType<HelpOption>().FirstOrDefault();
        if (help is null)
            command.Options.Add(help = new HelpOption());
        help.Action = new HelpWithExamples((SynchronousCommandLineAction)help.Action!, examples);
        return command;
    }

    private static string Path(CommandResult? result)
    {
        List<string> names = [];
        for (; result is not null; result = result.Parent as CommandResult)
            names.Insert(0, result.Parent is null ? "sketch" : result.Command.Name);
        return string.Join(' ', names);
    }

    private sealed class HelpWithExamples(SynchronousCommandLineAction plain, string[] examples) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int status = plain.Invoke(parseResult);
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (string example in examples)
                output.WriteLine("  " + example);
            output.WriteLine();
            output.WriteLine("Exit codes: 0 done, 1 failed, 2 not allowed (nothing was done), 3 folder or port in use.");
            return status;
        }
    }
}
