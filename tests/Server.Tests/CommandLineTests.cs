using System.Text.Json;
using Sketch.Server;
using Sketch.Server.Commands;

namespace Sketch.Tests.Server;

public sealed class CommandLineTests : IAsyncLifetime
{
    private NodeHost _node = null!;

    private string Url => _node.Node.Http.GetLeftPart(UriPartial.Authority);

    public async Task InitializeAsync() => _node = await NodeHost.StartAsync();

    public Task DisposeAsync() => _node.DisposeAsync().AsTask();

    [Theory]
    [InlineData("--wat")]
    [InlineData("fly")]
    [InlineData("serve --demo --no-demo")]
    [InlineData("load x.txt")]
    [InlineData("load - -n words --batch 0")]
    [InlineData("load - -n words --batch 10001")]
    [InlineData("load - -n words --split letters")]
    [InlineData("load - -n words --tier exact")]
    [InlineData("load - -n words --url nowhere")]
    [InlineData("load /no/such/file -n words")]
    [InlineData("top")]
    [InlineData("top words -k 1001")]
    [InlineData("top words --confidence 1")]
    [InlineData("get")]
    [InlineData("get words")]
    [InlineData("get words/")]
    [InlineData("watch words the --top 3")]
    [InlineData("sql x --json --format CSV")]
    [InlineData("serve --window 0")]
    [InlineData("serve --http-port http")]
    public async Task A_command_line_that_is_not_allowed_answers_2_and_says_why(string line)
    {
        (int status, string output, string error) = await RunAsync(line.Split(' '));
        Assert.Equal(ExitCode.Usage, status);
        Assert.StartsWith("sketch: ", error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("serve --help")]
    [InlineData("load --help")]
    [InlineData("get --help")]
    [InlineData("top --help")]
    [InlineData("watch --help")]
    [InlineData("sql --help")]
    [InlineData("plan --help")]
    public async Task Help_ends_with_examples_and_exit_codes(string line)
    {
        (int status, string output, string error) = await RunAsync(line.Split(' '));
        Assert.Equal((ExitCode.Done, ""), (status, error));
        Assert.Contains("Examples:\n  sketch", output, StringComparison.Ordinal);
        Assert.Contains("Exit codes: 0 done", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("top words")]
    [InlineData("get words/the")]
    [InlineData("watch words")]
    [InlineData("load - -n words")]
    [InlineData("sql x")]
    public async Task A_node_that_does_not_answer_is_a_failure_with_its_address(string line)
    {
        (int status, _, string error) = await RunAsync([.. line.Split(' '), "--url", "http://127.0.0.1:1"]);
        Assert.Equal(ExitCode.Failed, status);
        Assert.Contains("no node answers at http://127.0.0.1:1", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("top none")]
    [InlineData("get none/x")]
    [InlineData("watch none")]
    public async Task An_unknown_namespace_is_a_failure_in_the_nodes_words(string line)
    {
        (int status, _, string error) = await RunAsync([.. line.Split(' '), "--url", Url]);
        Assert.Equal(ExitCode.Failed, status);
        Assert.Contains("namespace is none; allowed: a namespace made with PUT", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Schema_prints_statements_for_a_server_or_a_cluster()
    {
        (int status, string output, string error) = await RunAsync("schema");
        Assert.Equal((ExitCode.Done, ""), (status, error));
        Assert.Contains("CREATE TABLE IF NOT EXISTS sketch.total_rows\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain("CLUSTER", output, StringComparison.Ordinal);
        Assert.Contains("sketch.total_rows_local ON CLUSTER 'main'", (await RunAsync("schema", "--cluster", "main")).Output, StringComparison.Ordinal);
        (status, _, error) = await RunAsync("schema", "--cluster", "a'b");
        Assert.Equal(ExitCode.Usage, status);
        Assert.Contains("--cluster is 'a'b'; allowed: 1 to 64 letters, digits", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_counts_every_word_once_and_makes_the_namespace()
    {
        using TemporaryFile file = new("the cat, the dog: the end. été\n" + new string('x', 300));
        (int status, string output, string error) = await RunAsync("load", file.Path, "-n", "words", "--tier", "strong", "--url", Url, "--batch", "2", "--connections", "3");
        Assert.Equal((ExitCode.Done, ""), (status, error));
        Assert.StartsWith("Counted 7 words in", output, StringComparison.Ordinal);
        Assert.Contains("skipped 1.", output, StringComparison.Ordinal);
        Assert.Equal(3, await _node.ValueAsync("words", "the"));
        Assert.Equal(1, await _node.ValueAsync("words", "été"));
        Assert.Equal(0, await _node.ValueAsync("words", "The"));
    }

    [Fact]
    public async Task Load_counts_the_rows_of_csv_and_json_lines()
    {
        using TemporaryFile csv = new("name,delta\napple,7\npear,-3\napple,1\n", ".csv");
        using TemporaryFile json = new("{\"name\":\"pear\",\"delta\":5}\n{\"name\":\"plum\"}\n", ".ndjson");
        (int status, string output, string error) = await RunAsync("load", csv.Path, json.Path, "-n", "rows", "--tier", "strong", "--url", Url);
        Assert.Equal((ExitCode.Done, ""), (status, error));
        Assert.StartsWith("Counted 5 increments in", output, StringComparison.Ordinal);
        Assert.Equal((8, 2, 1), (await _node.ValueAsync("rows", "apple"), await _node.ValueAsync("rows", "pear"), await _node.ValueAsync("rows", "plum")));
    }

    [Fact]
    public async Task A_wrong_row_counts_nothing_of_its_batch_and_the_load_can_be_repeated()
    {
        using TemporaryFile wrong = new("name,delta\na,1\nb,1\nc,1\nd,many\n", ".csv");
        string[] line = ["load", wrong.Path, "-n", "wrong", "--tier", "strong", "--url", Url, "--batch", "2", "--connections", "1", "--producer", "march"];
        (int status, _, string error) = await RunAsync(line);
        Assert.Equal(ExitCode.Failed, status);
        Assert.Contains($"{wrong.Path} line 5: delta is many; allowed: a whole number from -1000000000000 to 1000000000000", error, StringComparison.Ordinal);
        Assert.Equal(0, await _node.ValueAsync("wrong", "c"));
        await File.WriteAllTextAsync(wrong.Path, "name,delta\na,1\nb,1\nc,1\nd,4\n");
        Assert.Equal(ExitCode.Done, (await RunAsync(line)).Status);
        Assert.Equal((1, 1, 1, 4), (await _node.ValueAsync("wrong", "a"), await _node.ValueAsync("wrong", "b"), await _node.ValueAsync("wrong", "c"), await _node.ValueAsync("wrong", "d")));
    }

    [Fact]
    public async Task What_the_node_refuses_of_a_file_is_told_with_the_files_line()
    {
        await _node.PutAsync("/v1/namespaces/kinds", """{"tier":"strong"}""");
        await _node.PutAsync("/v1/namespaces/kinds/counters/visitors", """{"kind":"distinct"}""");
        using TemporaryFile file = new("name,element\na,\n\nvisitors,x\nvisitors,\n", ".csv");
        (int status, _, string error) = await RunAsync("load", file.Path, "-n", "kinds", "--url", Url);
        Assert.Equal(ExitCode.Failed, status);
        Assert.Contains($"{file.Path} line 5: ", error, StringComparison.Ordinal);
        Assert.Equal((0, 0), (await _node.ValueAsync("kinds", "a"), await _node.ValueAsync("kinds", "visitors")));
    }

    [Fact]
    public async Task How_text_is_cut_is_no_question_of_rows()
    {
        using TemporaryFile file = new("name\n", ".csv");
        (int status, _, string error) = await RunAsync("load", file.Path, "-n", "x", "--split", "lines", "--format", "csv", "--url", Url);
        Assert.Equal(ExitCode.Usage, status);
        Assert.Contains("--split is lines with --format csv; allowed: with --format text", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_repeated_with_the_same_producer_counts_nothing_twice()
    {
        using TemporaryFile file = new(string.Join(' ', Enumerable.Range(0, 1_000).Select(i => $"w{i % 10}")));
        string[] line = ["load", file.Path, "-n", "words", "--tier", "strong", "--url", Url, "--batch", "100", "--producer", "monday", "--json"];
        JsonElement first = JsonDocument.Parse((await RunAsync(line)).Output).RootElement;
        JsonElement second = JsonDocument.Parse((await RunAsync(line)).Output).RootElement;
        Assert.Equal((1_000, 10, 0), (first.GetProperty("increments").GetInt32(), first.GetProperty("batches").GetInt32(), first.GetProperty("duplicates").GetInt32()));
        Assert.Equal(10, second.GetProperty("duplicates").GetInt32());
        Assert.Equal(100, second.GetProperty("top")[0].GetProperty("value").GetInt64());
    }

    [Fact]
    public async Task Load_through_a_node_that_dies_and_comes_back_loses_and_doubles_nothing()
    {
        using TemporaryFile file = new(string.Join(' ', Enumerable.Range(0, 200_000).Select(i => $"w{i % 100}")));
        int port = _node.Node.Http.Port;
        Task<(int Status, string Output, string Error)> load = RunAsync(
            "load", file.Path, "-n", "words", "--tier", "strong", "--url", Url, "--batch", "50", "--connections", "4", "--json");
        await Eventually(async () => await _node.ValueAsync("words", "w0") > 20);
        for (int i = 0; i < 3; i++)
        {
            await _node.Node.DisposeAsync();
            _node = await NodeHost.StartAsync(folder: _node.Folder, store: _node.Store, httpPort: port);
        }

        (int status, string output, string error) = await load;
        Assert.True(status == ExitCode.Done, error);
        Assert.True(JsonDocument.Parse(output).RootElement.GetProperty("retries").GetInt32() > 0);
        Assert.Equal(Enumerable.Repeat(2_000L, 100), await Task.WhenAll(Enumerable.Range(0, 100).Select(i => _node.ValueAsync("words", $"w{i}"))));
    }

    [Fact]
    public async Task Load_gives_up_when_the_node_stays_away()
    {
        using TemporaryFile file = new(string.Join(' ', Enumerable.Range(0, 500_000).Select(i => $"w{i % 100}")));
        Task<(int Status, string Output, string Error)> load = RunAsync(
            "load", file.Path, "-n", "words", "--url", Url, "--batch", "50", "--retry-seconds", "1");
        await Eventually(async () => await _node.ValueAsync("words", "w0") > 20);
        await _node.Node.DisposeAsync();
        (int status, _, string error) = await load;
        Assert.Equal(ExitCode.Failed, status);
        Assert.Contains("gave up after 1 s of retries", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_prints_values_and_fails_when_one_is_missing()
    {
        await _node.PutAsync("/v1/namespaces/shop", """{"tier":"strong"}""");
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"a/b","delta":12345}]}""");
        (int status, string output, _) = await RunAsync("get", "shop/a/b", "--url", Url);
        Assert.Equal(ExitCode.Done, status);
        Assert.Matches(@"a/b +sum +12,345 +12,345 +12,345 +exact", output);

        (status, output, string error) = await RunAsync("get", "shop/a/b", "shop/none", "--url", Url, "--json");
        Assert.Equal(ExitCode.Failed, status);
        Assert.Equal("sketch: no such counter: shop/none\n", error);
        Assert.Equal(12_345, JsonDocument.Parse(output).RootElement.GetProperty("values")[0].GetProperty("value").GetInt64());
    }

    [Fact]
    public async Task Top_prints_the_heaviest_first()
    {
        await _node.PutAsync("/v1/namespaces/shop", """{"tier":"strong"}""");
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"b","delta":1},{"name":"a","delta":5},{"name":"c","delta":3}]}""");
        (int status, string output, _) = await RunAsync("top", "shop", "-k", "2", "--url", Url, "--json");
        Assert.Equal(ExitCode.Done, status);
        Assert.Equal(["a", "c"], JsonDocument.Parse(output).RootElement.GetProperty("values").EnumerateArray().Select(v => v.GetProperty("name").GetString()!));
    }

    [Fact]
    public async Task Watch_prints_frames_as_values_change()
    {
        await _node.PutAsync("/v1/namespaces/shop", """{"tier":"strong"}""");
        await _node.PostAsync("/v1/namespaces/shop/increments", """{"increments":[{"name":"a","delta":5}]}""");
        (int status, string output, string error) = await RunAsync("watch", "shop", "a", "--frames", "1", "--json", "--url", Url);
        Assert.True(status == ExitCode.Done, error);
        JsonElement value = JsonDocument.Parse(output).RootElement.GetProperty("values")[0];
        Assert.Equal(("a", 5), (value.GetProperty("name").GetString(), value.GetProperty("value").GetInt64()));

        (_, output, _) = await RunAsync("watch", "shop", "--top", "1", "--frames", "1", "--url", Url);
        Assert.Matches(@"^\d\d:\d\d:\d\d\.\d{3}  a  5  \(exact\)\n$", output);
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(params string[] args)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        int status = await CommandLine.RunAsync(args, new Terminal(output, error, () => new MemoryStream("a b c"u8.ToArray()), IsInteractive: false));
        return (status, output.ToString(), error.ToString());
    }

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        using CancellationTokenSource deadline = new(NodeHost.Deadline);
        while (!await condition())
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(string text, string ending = ".tmp")
        {
            Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "sketch-" + Guid.NewGuid().ToString("n") + ending);
            File.WriteAllText(Path, text);
        }

        public string Path { get; }

        public void Dispose() => File.Delete(Path);
    }
}
