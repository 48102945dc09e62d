using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Sketch.Tests.Integration;

/// <summary>The SQL port of a real node, as clients that were not written for it use it.</summary>
public sealed class SqlDoorTests : IAsyncLifetime
{
    private static readonly string Clients = Path.Combine(Repository.Root, "tests", "Integration", "sql-clients");

    private NodeProcess _node = null!;

    public async Task InitializeAsync()
    {
        _node = await NodeProcess.StartNew("--no-demo", "--window", "1");
        using HttpClient http = new() { BaseAddress = _node.Http };
        using (HttpResponseMessage made = await http.PutAsync(new Uri("/v1/namespaces/fruit", UriKind.Relative), new StringContent("""{"tier":"strong"}""", Encoding.UTF8, "application/json")))
        {
            Assert.True(made.IsSuccessStatusCode);
        }

        using StringContent increments = new("{\"name\":\"apple\",\"delta\":7}\n{\"name\":\"pear\",\"delta\":3}\n", Encoding.UTF8, "application/x-ndjson");
        using HttpResponseMessage counted = await http.PostAsync(new Uri("/v1/namespaces/fruit/increments", UriKind.Relative), increments);
        Assert.True(counted.IsSuccessStatusCode);
    }

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task The_client_of_ClickHouse_for_Node_works_with_the_port()
    {
        string output = await Command.Bash($"cd '{Clients}' && SKETCH_SQL_URL={_node.Sql.GetLeftPart(UriPartial.Authority)} node --test test/");
        Assert.Contains("# fail 0", output, StringComparison.Ordinal);
        Assert.DoesNotContain("# pass 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_comes_in_headers_while_the_statement_runs()
    {
        const string Sql = "SELECT count() FROM numbers(3000000000) WHERE NOT ignore(number)";
        (List<string> head, int before, string body) = await AskAsync("send_progress_in_http_headers=1&http_headers_progress_interval_ms=20&max_execution_time=50", Sql);
        Assert.Equal("HTTP/1.1 200 OK", head[0]);
        Assert.Single(head, line => line.StartsWith("HTTP/1.1 ", StringComparison.Ordinal));
        Assert.True(before > 0, "no header came before the answer began");
        long[] read = [.. head.Where(h => h.StartsWith("X-ClickHouse-Progress: ", StringComparison.Ordinal)).Select(h => Figure(h, "read_rows"))];
        Assert.Equal(read.Order(), read);
        Assert.InRange(read[^1], 1, 3_000_000_000);
        Assert.Contains("3000000000\n", body, StringComparison.Ordinal);
        Assert.Single(head, line => line.StartsWith("X-ClickHouse-Summary: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Progress_that_nobody_asked_for_is_not_sent_and_refusals_keep_their_status()
    {
        (List<string> quiet, _, string one) = await AskAsync("", "SELECT count() * 0 FROM numbers(300000000) WHERE NOT ignore(number)");
        Assert.DoesNotContain(quiet, line => line.StartsWith("X-ClickHouse-Progress", StringComparison.Ordinal));
        Assert.Contains("0\n", one, StringComparison.Ordinal);
        (List<string> refused, _, _) = await AskAsync("send_progress_in_http_headers=1&http_headers_progress_interval_ms=10", "DROP TABLE totals");
        Assert.StartsWith("HTTP/1.1 403", refused[0], StringComparison.Ordinal);
        (List<string> wrong, _, string why) = await AskAsync("send_progress_in_http_headers=1&http_headers_progress_interval_ms=0", "SELECT 1");
        Assert.StartsWith("HTTP/1.1 400", wrong[0], StringComparison.Ordinal);
        Assert.Contains("http_headers_progress_interval_ms is 0; allowed: 10 to 3600000", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_statement_that_fails_after_progress_ends_with_the_code_in_a_header()
    {
        (List<string> head, int before, string body) = await AskAsync(
            "send_progress_in_http_headers=1&http_headers_progress_interval_ms=20&max_execution_time=1", "SELECT count() FROM numbers(100000000000) WHERE NOT ignore(number)");
        Assert.True(before > 0);
        Assert.Equal("HTTP/1.1 200 OK", head[0]);
        Assert.Contains("X-ClickHouse-Exception-Code: 159", head);
        Assert.Contains("Code: 159.", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Statements_over_live_values_are_read_in_frames()
    {
        using HttpClient http = new();
        // The port itself makes the frame.
        using StringContent quoted = new("SELECT 'SELECT sum(value) FROM live_values WHERE namespace = {n:String}' FORMAT RawBLOB");
        using HttpResponseMessage framed = await http.PostAsync(new Uri(_node.Sql, "/?compress=1"), quoted);
        byte[] frame = await framed.Content.ReadAsByteArrayAsync();
        using ByteArrayContent body = new(frame);
        using HttpResponseMessage answer = await http.PostAsync(new Uri(_node.Sql, "/?decompress=1&param_n=fruit"), body);
        Assert.Equal("10\n", await answer.Content.ReadAsStringAsync());
        frame[^1] ^= 1;
        using ByteArrayContent broken = new(frame);
        using HttpResponseMessage refused = await http.PostAsync(new Uri(_node.Sql, "/?decompress=1"), broken);
        Assert.Equal("40", Assert.Single(refused.Headers.GetValues("X-ClickHouse-Exception-Code")));
    }

    [Fact]
    public async Task What_is_documented_of_export_and_import_gives_the_same_counters_again()
    {
        string folder = Directory.CreateTempSubdirectory("sketch-export-").FullName;
        try
        {
            string[] lines = [.. File.ReadLines(Path.Combine(Repository.Root, "docs", "sql.md")).Where(l => l.StartsWith("    curl ", StringComparison.Ordinal) && l.Contains("--output", StringComparison.Ordinal)
                || l.StartsWith("    sketch load ", StringComparison.Ordinal))];
            Assert.Equal(4, lines.Length);
            using HttpClient http = new();
            await AskUntilAsync(http, "SELECT count() FROM totals WHERE namespace = 'fruit'", "2");
            foreach (string line in lines)
            {
                string command = line.Trim()
                    .Replace("http://127.0.0.1:8123/", _node.Sql.ToString(), StringComparison.Ordinal)
                    .Replace("'words'", "'fruit'", StringComparison.Ordinal)
                    .Replace("sketch load", $"'{Repository.SketchExecutable}' load --url {_node.Http.GetLeftPart(UriPartial.Authority)}", StringComparison.Ordinal);
                await Command.Bash($"cd '{folder}' && {command.Replace("curl ", "curl --silent --fail ", StringComparison.Ordinal)}");
            }

            foreach (string space in new[] { "from-csv", "from-json" })
            {
                await AskUntilAsync(http, $"SELECT name, value FROM live_values WHERE namespace = '{space}' ORDER BY name", "apple\t7\npear\t3");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task AskUntilAsync(HttpClient http, string sql, string expected)
    {
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(60));
        while (true)
        {
            using StringContent content = new(sql);
            using HttpResponseMessage answer = await http.PostAsync(_node.Sql, content, deadline.Token);
            if ((await answer.Content.ReadAsStringAsync(deadline.Token)).TrimEnd('\n') == expected)
            {
                return;
            }

            await Task.Delay(50, deadline.Token);
        }
    }

    private static long Figure(string header, string name)
    {
        using JsonDocument json = JsonDocument.Parse(header[(header.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        return long.Parse(json.RootElement.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);
    }

    /// <summary>One request on a socket: the lines of the head, how many of them came before the last one of the others, and the rest.</summary>
    private async Task<(List<string> Head, int Before, string Body)> AskAsync(string parameters, string sql)
    {
        using TcpClient tcp = new();
        await tcp.ConnectAsync(_node.Sql.Host, _node.Sql.Port);
        await using NetworkStream stream = tcp.GetStream();
        byte[] request = Encoding.ASCII.GetBytes(
            $"POST /?{parameters} HTTP/1.1\r\nHost: {_node.Sql.Authority}\r\nConnection: close\r\nContent-Length: {sql.Length}\r\n\r\n{sql}");
        await stream.WriteAsync(request);
        StringBuilder text = new();
        byte[] buffer = new byte[64 << 10];
        int before = 0;
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(60));
        for (int read; (read = await stream.ReadAsync(buffer, deadline.Token)) > 0;)
        {
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            before += text.ToString().Contains("\r\n\r\n", StringComparison.Ordinal) ? 0 : 1;
        }

        string[] parts = text.ToString().Split("\r\n\r\n", 2);
        return ([.. parts[0].Split("\r\n")], before, parts[1]);
    }
}
