using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Sketch.Tests.Server;

public sealed class AccuracyRoutesTests : IAsyncLifetime
{
    private const int Names = 3_000;

    private NodeHost _node = null!;
    private readonly long[] _truth = new long[Names];

    public async Task InitializeAsync()
    {
        // 4 KiB: estimates are wrong, so that there is something to tell. A long window: only the tests' checkpoints close it.
        _node = await NodeHost.StartAsync(o => o with { SketchMemoryBytes = 4096, WindowSeconds = 3_600 });
        Assert.Equal(201, (await _node.PutAsync("/v1/namespaces/words", "{}")).Status);
        Assert.Equal(201, (await _node.PutAsync("/v1/namespaces/idle", "{}")).Status);
        await CountAsync();
    }

    public Task DisposeAsync() => _node.DisposeAsync().AsTask();

    private async Task CountAsync()
    {
        StringBuilder lines = new();
        for (int i = 0; i < Names; i++)
        {
            int delta = 1 + (10_000 / (i + 1));
            _truth[i] += delta;
            lines.Append(CultureInfo.InvariantCulture, $"{{\"name\":\"n{i}\",\"delta\":{delta}}}\n");
        }

        Answer answer = await _node.PostAsync("/v1/namespaces/words/increments", lines.ToString(), "application/x-ndjson");
        Assert.Equal(200, answer.Status);
        long position = answer.Json.GetProperty("position").GetInt64();
        using CancellationTokenSource deadline = new(NodeHost.Deadline);
        while (_node.Node.Engine.Status.Position < position)
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    private async Task<(int Covered, long Largest, double Bias)> ReadAllAsync(string confidence)
    {
        List<(long Value, long Lower, long Upper)> values = [];
        for (int from = 0; from < Names; from += 1_000)
        {
            string body = JsonSerializer.Serialize(new { names = Enumerable.Range(from, 1_000).Select(i => $"n{i}") });
            Answer answer = await _node.PostAsync($"/v1/namespaces/words/values?confidence={confidence}", body);
            values.AddRange(answer.Json.GetProperty("values").EnumerateArray().Select(v =>
                (v.GetProperty("value").GetInt64(), v.GetProperty("lower").GetInt64(), v.GetProperty("upper").GetInt64())));
        }

        Assert.Equal(Names, values.Count);
        return (
            values.Where((v, i) => v.Lower <= _truth[i] && _truth[i] <= v.Upper).Count(),
            values.Select((v, i) => Math.Abs(v.Value - _truth[i])).Max(),
            values.Select((v, i) => (double)(v.Value - _truth[i])).Average());
    }

    [Fact]
    public async Task What_the_node_says_of_its_bounds_equals_what_a_client_counts()
    {
        (int covered95, _, _) = await ReadAllAsync("0.95");
        (int covered99, long largest, double bias) = await ReadAllAsync("0.99");
        Assert.True(largest > 0 && covered99 < Names);
        await _node.Node.Engine.CheckpointAsync(default);

        JsonElement accuracy = (await _node.GetAsync("/v1/namespaces/words/accuracy")).Json;
        Assert.Equal(
            ["namespace", "windows", "counters", "aboveUpper", "bias", "largestError", "bounds", "last", "warning"],
            accuracy.EnumerateObject().Select(m => m.Name));
        Assert.Equal((1, Names, 0), (accuracy.GetProperty("windows").GetInt32(), accuracy.GetProperty("counters").GetInt32(), accuracy.GetProperty("aboveUpper").GetInt32()));
        Assert.Equal(largest, accuracy.GetProperty("largestError").GetInt64());
        Assert.Equal(bias, accuracy.GetProperty("bias").GetDouble(), 9);
        Assert.Equal([(0.95, covered95), (0.99, covered99)], accuracy.GetProperty("bounds").EnumerateArray().Select(b => (b.GetProperty("confidence").GetDouble(), b.GetProperty("covered").GetInt32())));
        Assert.All(accuracy.GetProperty("bounds").EnumerateArray(), b => Assert.True(b.GetProperty("coverage").GetDouble() >= b.GetProperty("leastCoverage").GetDouble()));
        Assert.Equal(JsonValueKind.Null, accuracy.GetProperty("warning").ValueKind);
        Assert.Equal(Names, accuracy.GetProperty("last").GetProperty("compared").GetInt32());

        Dictionary<string, double> metrics = await MetricsAsync();
        Assert.Equal(Names, metrics["sketch_increments_total"]);
        Assert.Equal(Names, metrics["sketch_accuracy_compared_total{namespace=\"words\"}"]);
        Assert.Equal(largest, metrics["sketch_accuracy_largest_error{namespace=\"words\"}"]);
        Assert.Equal(bias, metrics["sketch_accuracy_bias{namespace=\"words\"}"], 9);
        Assert.Equal((double)covered99 / Names, metrics["sketch_accuracy_coverage{namespace=\"words\",confidence=\"0.99\"}"], 12);
        Assert.Equal(0, metrics["sketch_accuracy_falls_short{namespace=\"words\"}"]);
        Assert.Equal(0, metrics["sketch_accuracy_warnings_total"]);
    }

    [Fact]
    public async Task Bounds_that_do_not_hold_are_told_in_the_answer_and_in_the_metrics()
    {
        // Planted: the node's sketch forgets what it held, as a broken one would.
        _node.Node.Engine.View.Open.Sketch!.Clear(new Sketch.Sketches.SketchKey(1, 2));
        await _node.Node.Engine.CheckpointAsync(default);
        JsonElement accuracy = (await _node.GetAsync("/v1/namespaces/words/accuracy")).Json;
        Assert.Contains("too narrow: bounds of 95 % held for 0 %", accuracy.GetProperty("warning").GetString(), StringComparison.Ordinal);
        Assert.All(accuracy.GetProperty("bounds").EnumerateArray(), b => Assert.True(b.GetProperty("fallsShort").GetBoolean()));
        Dictionary<string, double> metrics = await MetricsAsync();
        Assert.Equal(
            (1, 1, Names),
            (metrics["sketch_accuracy_warnings_total"], metrics["sketch_accuracy_falls_short{namespace=\"words\"}"], metrics["sketch_accuracy_above_upper_total{namespace=\"words\"}"]));
    }

    [Fact]
    public async Task A_counter_says_why_its_bounds_are_as_they_are()
    {
        JsonElement accuracy = (await _node.GetAsync("/v1/namespaces/words/counters/n7/accuracy?confidence=0.9")).Json;
        JsonElement value = (await _node.GetAsync("/v1/namespaces/words/counters/n7?confidence=0.9")).Json;
        foreach (string member in (string[])["value", "lower", "upper", "confidence"])
        {
            Assert.Equal(value.GetProperty(member).GetRawText(), accuracy.GetProperty("value").GetProperty(member).GetRawText());
        }

        Assert.Equal((4096, 256, 4), (accuracy.GetProperty("sketch").GetProperty("memoryBytes").GetInt32(), accuracy.GetProperty("sketch").GetProperty("width").GetInt32(), accuracy.GetProperty("sketch").GetProperty("depth").GetInt32()));
        Assert.Contains("4 rows of 256 cells", accuracy.GetProperty("explanation").GetString(), StringComparison.Ordinal);
        Assert.Contains("90 % of cases", accuracy.GetProperty("explanation").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_or_not_allowed_is_said()
    {
        (await _node.GetAsync("/v1/namespaces/nowhere/accuracy")).IsProblem(404, "namespace", "nowhere", "PUT");
        (await _node.GetAsync("/v1/namespaces/words/counters/nobody/accuracy")).IsProblem(404, "name", "nobody", "incremented");
        (await _node.GetAsync("/v1/namespaces/words/counters/n1/accuracy?confidence=2")).IsProblem(400, "confidence", "2", "above 0.5");
        (await _node.GetAsync("/v1/namespaces/words/accuracy?k=2")).IsProblem(400, "k", "not a query parameter", "no query parameters");
        JsonElement idle = (await _node.GetAsync("/v1/namespaces/idle/accuracy")).Json;
        Assert.Equal((0, JsonValueKind.Null), (idle.GetProperty("windows").GetInt32(), idle.GetProperty("last").ValueKind));
    }

    [Fact]
    public async Task Metrics_are_text_for_prometheus_and_of_this_node_only()
    {
        await using NodeHost other = await NodeHost.StartAsync();
        Answer answer = await other.GetAsync("/metrics");
        Assert.Equal((200, "text/plain"), (answer.Status, answer.ContentType));
        Assert.Contains("# TYPE sketch_increments_total counter", answer.Text, StringComparison.Ordinal);
        Assert.Contains("\nsketch_increments_total 0\n", answer.Text, StringComparison.Ordinal);
        Assert.Contains("\ndotnet_gc_", answer.Text, StringComparison.Ordinal);
        Assert.Equal(Names, (await MetricsAsync())["sketch_increments_total"]);
    }

    private async Task<Dictionary<string, double>> MetricsAsync() =>
        (await _node.GetAsync("/metrics")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#')
            .ToDictionary(line => line[..line.LastIndexOf(' ')], line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
}
