using System.Diagnostics;

namespace Sketch.Tests.Integration;

/// <summary>Runs a program to its end.</summary>
internal static class Command
{
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    /// <summary>Runs `sketch` and returns what it prints; fails the test when it fails.</summary>
    public static Task<string> Sketch(params string[] arguments) => Run(Repository.SketchExecutable, arguments);

    /// <summary>Runs a line of bash.</summary>
    public static Task<string> Bash(string line) => Run("bash", ["-euo", "pipefail", "-c", line]);

    /// <summary>Runs lines of bash; null when they fail.</summary>
    public static async Task<string?> TryBash(string lines)
    {
        (int code, string output, _) = await RunToEnd("bash", ["-euo", "pipefail", "-c", lines], folder: null);
        return code == 0 ? output : null;
    }

    public static async Task<string> Run(string file, string[] arguments, string? folder = null)
    {
        (int code, string output, string error) = await RunToEnd(file, arguments, folder);
        Assert.True(code == 0, $"{file} {string.Join(' ', arguments)} ended with {code}:\n{output}\n{error}");
        return output;
    }

    public static Process Start(string file, string[] arguments, string? folder = null)
    {
        ProcessStartInfo start = new(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? "",
        };
        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static async Task<(int Code, string Output, string Error)> RunToEnd(string file, string[] arguments, string? folder)
    {
        using Process process = Start(file, arguments, folder);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Deadline);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output, await error);
    }
}
