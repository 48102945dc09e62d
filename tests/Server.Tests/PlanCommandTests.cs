using System.Text.Json;
using Sketch.Server;
using Sketch.Server.Commands;

namespace Sketch.Tests.Server;

public sealed class PlanCommandTests
{
    private static async Task<(int Status, string Output, string Error)> RunAsync(string line)
    {
        using StringWriter output = new(), error = new();
        int status = await CommandLine.RunAsync(["plan", .. line.Split(' ', StringSplitOptions.RemoveEmptyEntries)], new Terminal(output, error, () => Stream.Null, false));
        return (status, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task A_wish_becomes_a_node_s_command_line_and_that_memory_gives_the_wish_back()
    {
        (int status, string output, string error) = await RunAsync("--error 100 --per-second 1e6 --ids 5e6 --json");
        Assert.Equal((ExitCode.Done, ""), (status, error));
        JsonElement plan = JsonDocument.Parse(output).RootElement;
        long memory = plan.GetProperty("memoryBytes").GetInt64();
        Assert.InRange(plan.GetProperty("errorAtMost").GetDouble(), 99, 100);
        Assert.Equal((4, memory / 16, 5.0, 5e6), (plan.GetProperty("depth").GetInt32(), plan.GetProperty("width").GetInt64(), plan.GetProperty("windowSeconds").GetDouble(), plan.GetProperty("windowWeight").GetDouble()));
        Assert.Equal($"sketch serve --sketch-memory {memory} --window 5", plan.GetProperty("serve").GetString());
        Assert.False(plan.TryGetProperty("precision", out _));

        JsonElement back = JsonDocument.Parse((await RunAsync($"--memory {memory} --per-second 1e6 --ids 5e6 --json")).Output).RootElement;
        Assert.Equal(plan.GetProperty("errorAtMost").GetDouble(), back.GetProperty("errorAtMost").GetDouble());
        Assert.Equal(memory, back.GetProperty("memoryBytes").GetInt64());
    }

    [Fact]
    public async Task People_read_a_sentence_and_what_to_type()
    {
        (_, string output, _) = await RunAsync("--relative-error 0.01 --of-at-least 10000 --per-second 1e5 --ids 1e6 --confidence 0.95");
        Assert.Contains("An estimate is never too low. It is too high by at most 100 in 95 % of cases", output, StringComparison.Ordinal);
        Assert.Contains("\n  sketch serve --sketch-memory ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Distinct_counters_get_a_precision_and_back()
    {
        JsonElement plan = JsonDocument.Parse((await RunAsync("--kind distinct --relative-error 0.04 --confidence 0.95 --json")).Output).RootElement;
        Assert.Equal((12, 4096), (plan.GetProperty("precision").GetInt32(), plan.GetProperty("memoryBytes").GetInt32()));
        JsonElement back = JsonDocument.Parse((await RunAsync("--kind distinct --precision 12 --confidence 0.95 --json")).Output).RootElement;
        Assert.Equal(plan.GetProperty("errorAtMost").GetDouble(), back.GetProperty("errorAtMost").GetDouble());
        Assert.Equal(plan.GetProperty("standardError").GetDouble(), back.GetProperty("standardError").GetDouble());
    }

    [Fact]
    public async Task Top_lists_get_candidates() =>
        Assert.Equal("""{"kind":"top","confidence":1,"fulfilled":true,"explanation":"4,000 candidates find all of the 100""", (await RunAsync("--kind top -k 100 --json")).Output[..97]);

    [Fact]
    public async Task A_wish_that_cannot_be_kept_shows_the_best_plan_and_fails()
    {
        (int status, string output, string error) = await RunAsync("--error 0 --per-second 1e9 --ids 1e9 --max-memory 1MiB");
        Assert.Equal((ExitCode.Failed, "sketch: the wish can't be kept; the plan is the best there is\n"), (status, error));
        Assert.Contains("does not keep the wish", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "--per-second is missing; allowed: expected increments a second")]
    [InlineData("--per-second 1 --error 3", "--ids is missing; allowed: expected distinct counters")]
    [InlineData("--per-second 1 --ids 1", "--error, --relative-error or --memory is missing; allowed: one of the three")]
    [InlineData("--per-second 1 --ids 1 --error 3 --memory 1MiB", "--error, --relative-error or --memory is given together; allowed: one of the three")]
    [InlineData("--per-second 1 --ids 1 --error -3", "--error is -3; allowed: 0 or more")]
    [InlineData("--per-second 1 --ids 1 --relative-error 1", "--relative-error is 1; allowed: a share above 0 and below 1")]
    [InlineData("--per-second 0 --ids 1 --error 3", "--per-second is 0; allowed: a rate above 0")]
    [InlineData("--per-second 1 --ids many --error 3", "--ids is many; allowed: a count above 0")]
    [InlineData("--per-second 1 --ids 1 --error 3 --window 3601", "--window is 3601; allowed: above 0, to 3600 seconds")]
    [InlineData("--per-second 1 --ids 1 --memory 1KiB", "--memory is 1KiB; allowed: 4096 to 1073741824 bytes")]
    [InlineData("--kind distinct", "--relative-error or --precision is missing; allowed: one of the two")]
    [InlineData("--kind distinct --precision 3", "--precision is 3; allowed: 4 to 18")]
    [InlineData("--kind median", "--kind is median; allowed: sum, distinct, top")]
    [InlineData("--kind top -k 0", "--count is 0; allowed: 1 to 100000")]
    public async Task What_is_not_allowed_names_the_option(string line, string message)
    {
        (int status, string output, string error) = await RunAsync(line);
        Assert.Equal((ExitCode.Usage, ""), (status, output));
        Assert.StartsWith("sketch: " + message, error, StringComparison.Ordinal);
    }
}
