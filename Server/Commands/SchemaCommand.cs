using System.CommandLine;
using Sketch.Storage.Store;

namespace Sketch.Server.Commands;

/// <summary><c>sketch schema</c>: prints the statements that make the tables. Needs no node.</summary>
internal static class SchemaCommand
{
    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<string?> cluster = new("--cluster")
        {
            Description = "The cluster to make them on, as ClickHouse's system.clusters has it (default: none, one server).",
            HelpName = "NAME",
        };
        Command command = new("schema", "Print the statements that a node makes its tables with, for a ClickHouse server or cluster.") { cluster };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            IReadOnlyList<string> statements;
            try
            {
                statements = StoreStatements.All(parsed.GetValue(cluster));
            }
            catch (ArgumentException refused)
            {
                throw new CommandException("--" + refused.Message, ExitCode.Usage);
            }

            foreach (string statement in statements)
                await terminal.Output.WriteLineAsync((statement + ";\n").AsMemory(), cancellationToken).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command.WithExamples("sketch schema", "sketch schema --cluster main | clickhouse-client --multiquery");
    }
}
