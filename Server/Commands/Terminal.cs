namespace Sketch.Server.Commands;

/// <summary>Where a command reads and writes; tests put in their own.</summary>
/// <param name="Output">For results.</param>
/// <param name="Error">For sentences about what went wrong, progress, and notices.</param>
/// <param name="Input">For files named -.</param>
/// <param name="IsInteractive">True when a person looks: colours, tables and progress bars; else plain lines.</param>
internal sealed record Terminal(TextWriter Output, TextWriter Error, Func<Stream> Input, bool IsInteractive)
{
    /// <summary>The process's own.</summary>
    public static Terminal Process { get; } = new(Console.Out, Console.Error, Console.OpenStandardInput, !Console.IsOutputRedirected && !Console.IsErrorRedirected);
}
