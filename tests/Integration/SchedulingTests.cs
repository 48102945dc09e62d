using System.Globalization;

namespace Sketch.Tests.Integration;

public sealed class SchedulingTests
{
    private const int UsualPolicy = 0;
    private const int BatchPolicy = 3;

    [Fact]
    public async Task Threads_that_count_and_store_do_not_interrupt_each_other()
    {
        // A policy that somebody chose for all of this stays.
        int mine = (await Threads(Environment.ProcessId))[0].Policy;
        int expected = mine == UsualPolicy ? BatchPolicy : mine;
        await using NodeProcess node = await NodeProcess.StartNew("--no-demo");

        List<(string Name, int Policy)> threads = await Threads(node.Id);
        foreach (string name in new[] { "log writer", "log syncer", ".NET Sockets", ".NET TP Worker" })
        {
            Assert.Contains((name, expected), threads);
        }

        List<string> children = [];
        foreach (string thread in Directory.GetDirectories($"/proc/{node.Id}/task"))
        {
            children.AddRange((await Text($"{thread}/children")).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        int store = int.Parse(Assert.Single(children), CultureInfo.InvariantCulture);
        Assert.All(await Threads(store), t => Assert.Equal(expected, t.Policy));
    }

    // Fields of proc_pid_stat(5); the name, in parentheses, may hold spaces, and the policy is the 41st.
    private static async Task<List<(string Name, int Policy)>> Threads(int process)
    {
        List<(string Name, int Policy)> threads = [];
        foreach (string thread in Directory.GetDirectories($"/proc/{process}/task"))
        {
            if (await Text($"{thread}/stat") is { Length: > 0 } stat)
            {
                int end = stat.LastIndexOf(')');
                string name = stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..end];
                threads.Add((name, int.Parse(stat[(end + 2)..].Split(' ')[38], CultureInfo.InvariantCulture)));
            }
        }

        return threads;
    }

    // A thread may end at any moment, and its files with it.
    private static async Task<string> Text(string file)
    {
        try
        {
            return await File.ReadAllTextAsync(file);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
