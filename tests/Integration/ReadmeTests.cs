using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace Sketch.Tests.Integration;

/// <summary>What the README tells a newcomer, done as written in a clean clone, on the default ports.</summary>
public sealed partial class ReadmeTests(ITestOutputHelper output)
{
    private const string Node = "http://127.0.0.1:8080";

    [Fact]
    public async Task The_commands_of_the_README_do_what_it_says()
    {
        string clone = Directory.CreateTempSubdirectory("sketch-readme-").FullName;
        Process? node = null;
        try
        {
            await Command.Bash($"git clone -q '{Repository.Root}' '{clone}'");
            string[] blocks = [.. ShellBlock().Matches(await File.ReadAllTextAsync(Path.Combine(clone, "README.md"))).Select(m => m.Groups[1].Value)];
            string run = blocks[0].Split('\n').Single(l => l.StartsWith("dotnet run ", StringComparison.Ordinal)).Split('#')[0].Trim();
            string commands = blocks.Single(b => b.Contains("sketch load", StringComparison.Ordinal));
            string curl = blocks.Single(b => b.StartsWith("curl", StringComparison.Ordinal));

            // The first command: a node whose page answers and already has something to show.
            long started = Stopwatch.GetTimestamp();
            node = Command.Start("bash", ["-c", "exec " + run], clone);
            Task<string> printed = Task.WhenAll(node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync())
                .ContinueWith(t => string.Concat(t.Result), TaskScheduler.Default);
            await Until($"curl -sf {Node}/health/ready", node, printed, TimeSpan.FromMinutes(6));
            output.WriteLine($"{run}: ready after {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s");
            Assert.Contains("<html", await Command.Bash($"curl -sf {Node}/"), StringComparison.OrdinalIgnoreCase);
            await Until($"curl -sf {Node}/v1/namespaces/demo/top?k=1 | grep '\"name\"'", node, printed, TimeSpan.FromSeconds(30));

            // The others, a line at a time. SQL knows a window once it is closed and stored, seconds later.
            string alias = commands.Split('\n').Single(l => l.StartsWith("alias ", StringComparison.Ordinal));
            foreach (string line in commands.Split('\n').Where(l => l.StartsWith("sketch ", StringComparison.Ordinal)))
            {
                string script = $"cd '{clone}'; shopt -s expand_aliases; {alias}\n{line}";
                string answer = line.StartsWith("sketch sql", StringComparison.Ordinal)
                    ? await Until(script + " | grep '[0-9]'", node, printed, TimeSpan.FromSeconds(30))
                    : await Command.Bash(script);
                output.WriteLine($"{line}\n{answer}");
                Assert.Contains("the", answer, StringComparison.Ordinal);
            }

            await Command.Bash(curl);
            string twice = await Command.Bash(curl);
            Assert.Contains("\"duplicate\":true", twice.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Contains("\"value\":3,", twice.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        }
        finally
        {
            node?.Kill(entireProcessTree: true);
            node?.Dispose();
            Directory.Delete(clone, recursive: true);
        }
    }

    // Repeats a command until it succeeds.
    private static async Task<string> Until(string line, Process node, Task<string> printed, TimeSpan patience)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await Command.TryBash(line) is { } answer)
            {
                return answer;
            }

            if (node.HasExited)
            {
                Assert.Fail($"the node ended: {await printed}");
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < patience, $"{line}: no success in {patience.TotalSeconds} s");
            await Task.Delay(200);
        }
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();
}
