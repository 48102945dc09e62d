using System.Globalization;
using System.Text;

namespace Sketch.Tests.Integration;

/// <summary>live_values over the SQL port of a real node.</summary>
public sealed class LiveValuesTests : IAsyncLifetime, IDisposable
{
    private NodeProcess _node = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _node = await NodeProcess.StartNew("--no-demo", "--window", "1");
        _http = new HttpClient { BaseAddress = new Uri(_node.Http, "/v1/namespaces/"), Timeout = Command.Deadline };
    }

    public async Task DisposeAsync() => await _node.DisposeAsync();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Values_are_one_cut_while_windows_become_exact()
    {
        await Put("bank", """{"tier":"strong"}""");
        long sent = 0;
        long acknowledged = 0;
        using CancellationTokenSource stop = new();
        Task writing = Task.Run(async () =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                StringBuilder lines = new();
                for (int n = 0; n < 100; n++)
                {
                    lines.Append(CultureInfo.InvariantCulture, $"{{\"name\":\"account {(i + n) % 250}\",\"delta\":1}}\n");
                }

                Interlocked.Add(ref sent, 100);
                await Post("bank", lines.ToString());
                Interlocked.Add(ref acknowledged, 100);
            }
        });
        HashSet<string> checkpoints = [];
        while (checkpoints.Count < 6)
        {
            long least = Interlocked.Read(ref acknowledged);
            string[] answer = (await Ask("SELECT sum(value), sum(lower), sum(upper), toString(any(exact_as_of)) FROM live_values WHERE namespace = 'bank'")).Split('\t');
            long most = Interlocked.Read(ref sent);
            Assert.InRange(long.Parse(answer[0], CultureInfo.InvariantCulture), least, most);
            Assert.Equal((answer[0], answer[0]), (answer[1], answer[2]));
            checkpoints.Add(answer[3]);
            Assert.False(writing.IsFaulted);
        }

        await stop.CancelAsync();
        await writing;
        Assert.Equal($"{sent}", await Ask("SELECT sum(value) FROM live_values WHERE namespace = 'bank'"));
        Assert.Equal("250", await Ask("SELECT count() FROM live_values WHERE namespace = 'bank'"));
    }

    [Fact]
    public async Task Every_kind_has_bounds_and_what_a_statement_does_not_name_is_never_half_of_a_number()
    {
        await Put("a", "{}");
        await Put("b", """{"tier":"eventual"}""");
        await Put("a/counters/visitors", """{"kind":"distinct","tier":"strong"}""");
        await Put("a/counters/pages", """{"kind":"top"}""");
        await Post("a", "{\"name\":\"visitors\",\"element\":\"x\"}\n{\"name\":\"visitors\",\"element\":\"y\"}\n{\"name\":\"pages\",\"element\":\"/\",\"delta\":4}\n{\"name\":\"hits\",\"delta\":9}\n");
        await Post("b", "{\"name\":\"it's \\\\ here\",\"delta\":-3}\n");
        await UntilAsync(async () => await Ask("SELECT count() FROM live_values WHERE value != 0") == "4");

        Assert.Equal("hits\t9\npages\t4\nvisitors\t2", await Ask("SELECT name, value FROM live_values WHERE namespace = 'a' AND lower <= value AND value <= upper AND confidence >= 0.99 ORDER BY name"));
        Assert.Equal("-3", await Ask("SELECT value FROM live_values WHERE namespace = 'b' AND name = 'it''s \\\\ here'"));
        Assert.Equal("-3", await Ask("SELECT value FROM sketch.`live_values` AS v WHERE v.namespace = {n:String}", "&param_n=b"));
        Assert.Equal("4", await Ask("SELECT count() FROM live_values WHERE namespace != 'no such namespace'"));
        Assert.Equal("12", await Ask("SELECT sum(value) + 0 FROM live_values"));
        Assert.Equal("4", await Ask("WITH live_values AS (SELECT 4 AS x) SELECT x FROM live_values"));

        // Only 'a' is cut: another's name may be counted, its value may not be asked for.
        await UntilAsync(async () => await Ask("SELECT count() FROM counters") == "4");
        Assert.Equal("1", await Ask("SELECT count() FROM live_values WHERE namespace != 'a'"));
        string refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Ask("SELECT sum(value) FROM live_values WHERE namespace != 'a'")).ContinueWith(t => t.Result.Message);
        Assert.Contains("does not name", refused, StringComparison.Ordinal);

        // The gate stands behind it as before.
        await Assert.ThrowsAsync<InvalidOperationException>(() => Ask("SELECT value, file('/etc/passwd') FROM live_values"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Ask("SELECT value FROM live_values; DROP TABLE total_rows"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Ask("DROP VIEW live_values"));
        Assert.Equal("", await Ask("SELECT name FROM system.tables WHERE database = 'sketch' AND startsWith(name, 'live_cut_')"));
    }

    [Fact]
    public async Task Bounds_are_as_sure_as_the_statement_asks_for()
    {
        await Put("seen", "{}");
        await Put("seen/counters/visitors", """{"kind":"distinct"}""");
        await Post("seen", string.Concat(Enumerable.Range(0, 9_000).Select(i => $"{{\"name\":\"visitors\",\"element\":\"v{i}\"}}\n")));
        const string From = "WHERE namespace = 'seen' AND name = 'visitors'";
        await UntilAsync(async () => await Ask($"SELECT count() FROM live_values {From} AND value > 0") == "1");

        long[] widths =
        [
            .. (await Task.WhenAll(new[] { "", "(confidence = 0.6)", "(confidence=0.9999)" }.Select(c => Ask($"SELECT upper - lower FROM live_values{c} {From}"))))
                .Select(w => long.Parse(w, CultureInfo.InvariantCulture)),
        ];
        Assert.True(widths[1] < widths[0] && widths[0] < widths[2], string.Join(", ", widths));
        Assert.Equal("1", await Ask($"SELECT confidence >= 0.9999 FROM sketch.live_values(confidence = 0.9999) {From}"));
        string refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Ask($"SELECT value FROM live_values(confidence = 1) {From}")).ContinueWith(t => t.Result.Message);
        Assert.Contains("allowed: a number above 0.5 and below 1", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Documented_statements_have_answers()
    {
        await Put("words", "{}");
        await Post("words", "{\"name\":\"the\",\"delta\":7}\n{\"name\":\"of\",\"delta\":3}\n");
        await UntilAsync(async () => (await Ask("SELECT name FROM totals WHERE namespace = 'words'")).Length > 0);
        string[] statements =
        [
            .. File.ReadLines(Path.Combine(Repository.Root, "docs", "sql.md"))
                .Where(line => line.StartsWith("    SELECT", StringComparison.Ordinal) && line.Contains("live_values", StringComparison.Ordinal)),
        ];
        Assert.NotEmpty(statements);
        foreach (string statement in statements)
        {
            Assert.NotEmpty(await Ask(statement));
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(50, deadline.Token);
        }
    }

    private async Task Put(string path, string json)
    {
        path = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        using StringContent content = new(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await _http.PutAsync(new Uri(path, UriKind.Relative), content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task Post(string @namespace, string lines)
    {
        using StringContent content = new(lines, Encoding.UTF8, "application/x-ndjson");
        using HttpResponseMessage answer = await _http.PostAsync(new Uri($"{@namespace}/increments", UriKind.Relative), content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<string> Ask(string sql, string parameters = "")
    {
        using StringContent content = new(sql);
        using HttpResponseMessage answer = await _http.PostAsync(new Uri(_node.Sql, "/?default_format=TabSeparated" + parameters), content);
        string text = (await answer.Content.ReadAsStringAsync()).TrimEnd('\n');
        return answer.IsSuccessStatusCode ? text : throw new InvalidOperationException(text);
    }
}
