using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Server;
using Sketch.Server.Hosting;
using Sketch.Storage.Embedded;
using Sketch.Storage.Supervision;

namespace Sketch.Tests.Server;

/// <summary>The executable as it is started in a shell, with the embedded ClickHouse.</summary>
public class ServeProcessTests
{
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, "sketch");

    [Fact]
    public async Task A_node_prints_where_it_listens_serves_sql_refuses_a_second_one_and_stops_when_asked()
    {
        string folder = NodeHost.NewFolder();
        using Serving node = await Serving.StartAsync("--data", folder, "--grpc-port", "8081");
        Assert.Contains("--grpc-port 8081: this version has no listener for it; ignored", node.Output, StringComparison.Ordinal);
        string sql = node.Address("SQL");
        using HttpClient http = new();
        Assert.Equal("Ok.\n", await http.GetStringAsync(new Uri(sql + "/ping")));
        Assert.Equal("3\n", await http.GetStringAsync(new Uri(sql + "/?query=SELECT%201%2B2")));
        using HttpResponseMessage refused = await http.PostAsync(new Uri(sql), new StringContent("SELECT * FROM file('/etc/passwd')"));
        Assert.False(refused.IsSuccessStatusCode);
        Assert.Contains("file", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        (int status, string output, _) = await RunAsync("sql", "SELECT count() AS n FROM counters", "--url", sql);
        Assert.Equal((ExitCode.Done, "n\n0\n"), (status, string.Join('\n', output.Split('\n').Select(line => line.Trim()))));
        (status, _, string error) = await RunAsync("sql", "DROP TABLE counters", "--url", sql);
        Assert.Equal(ExitCode.Failed, status);
        Assert.Contains("DROP", error, StringComparison.Ordinal);

        (status, _, error) = await RunAsync("serve", "--data", folder, "--http-port", "0", "--sql-port", "0");
        Assert.Equal(ExitCode.InUse, status);
        Assert.Contains($"in use by process {node.Process.Id}", error, StringComparison.Ordinal);

        await node.SignalAsync("TERM");
        Assert.Equal(ExitCode.Done, await node.ExitAsync());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_disk_that_fails_to_sync_ends_the_node_with_the_reason_and_is_not_asked_again()
    {
        string folder = NodeHost.NewFolder();
        using Serving node = await Serving.StartAsync("--data", folder);
        using Process strace = Process.Start(new ProcessStartInfo(
            "strace", ["-f", "-p", node.Process.Id.ToString(CultureInfo.InvariantCulture), "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO"])
        {
            RedirectStandardError = true,
        })!;
        await strace.StandardError.ReadLineAsync();
        Task<string> calls = strace.StandardError.ReadToEndAsync();

        using HttpClient http = new() { BaseAddress = new Uri(node.Address("Dashboard")) };
        using StringContent body = new("""{"tier":"strong"}""", Encoding.UTF8, "application/json");
        try
        {
            using HttpResponseMessage answer = await http.PutAsync(new Uri("/v1/namespaces/shop", UriKind.Relative), body);
            Assert.False(answer.IsSuccessStatusCode);
        }
        catch (HttpRequestException)
        {
            // The node was gone before it could answer: nothing was acknowledged.
        }

        Assert.Equal(ExitCode.Failed, await node.ExitAsync());
        Assert.Matches("the node can go no further: .*fdatasync of .*Input/output error", node.Output);
        Assert.DoesNotContain("Unexpected failure", node.Output, StringComparison.Ordinal);
        await strace.WaitForExitAsync();

        // A disk that failed once may say that all is well the next time: what it failed to write is never synced again.
        Assert.Single(Regex.Matches(await calls, @"EIO .*\(INJECTED\)"));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_clickhouse_server_takes_the_place_of_the_embedded_one_behind_the_same_gate()
    {
        string folder = NodeHost.NewFolder();
        await using ClickHouseProcess server = await ClickHouseProcess.StartAsync(
            new ClickHouseProcessOptions
            {
                Command = [Executable, NodeParts.ClickHouseCommand],
                ClickHouse = new EmbeddedClickHouseOptions { DataFolder = Path.Combine(folder, "server") },
            },
            NullLogger<ClickHouseProcess>.Instance,
            TimeProvider.System,
            default);
        UriBuilder url = new(server.Address) { UserName = ClickHouseProcess.User, Password = server.Password };
        ServeOptions options = new() { Data = Path.Combine(folder, "node"), HttpPort = 0, SqlPort = 0, ClickHouse = url.Uri };
        await using (Node node = await Node.StartAsync(options, NodeParts.Real, new ConfigurationBuilder().Build(), null, default))
        {
            using HttpClient http = new() { BaseAddress = node.Sql };
            Assert.Equal("Ok.\n", await http.GetStringAsync(new Uri("/ping", UriKind.Relative)));
            Assert.Equal("3\n", await http.GetStringAsync(new Uri("/?query=SELECT%201%2B2", UriKind.Relative)));
            foreach (string statement in (string[])["INSERT INTO sketch.counters (name) VALUES ('x')", "SELECT * FROM url('http://127.0.0.1/')", "DROP TABLE sketch.counters", "SELECT 1; SELECT 2"])
            {
                using HttpResponseMessage refused = await http.PostAsync(new Uri("/", UriKind.Relative), new StringContent(statement));
                Assert.Equal(System.Net.HttpStatusCode.Forbidden, refused.StatusCode);
                Assert.Contains("DB::Exception", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }

            using HttpResponseMessage setting = await http.GetAsync(new Uri("/?query=SELECT%201&readonly=0", UriKind.Relative));
            Assert.Equal(System.Net.HttpStatusCode.Forbidden, setting.StatusCode);
            using HttpResponseMessage database = await http.GetAsync(new Uri("/?query=SELECT%20*%20FROM%20processes&database=system", UriKind.Relative));
            Assert.Equal(System.Net.HttpStatusCode.Forbidden, database.StatusCode);
            Assert.Contains("allowed: sketch", await database.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal("0\n", await http.GetStringAsync(new Uri("/?query=SELECT%20count()%20FROM%20totals&database=sketch", UriKind.Relative)));
        }

        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Executable, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(NodeHost.Deadline);
        return (process.ExitCode, await output, await error);
    }

    private sealed class Serving : IDisposable
    {
        private readonly StringBuilder _output = new();
        private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private Serving(string[] options)
        {
            Process = new Process
            {
                StartInfo = new ProcessStartInfo(Executable, ["serve", "--http-port", "0", "--sql-port", "0", .. options])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                },
                EnableRaisingEvents = true,
            };
            Process.OutputDataReceived += (_, line) => Read(line.Data);
            Process.ErrorDataReceived += (_, line) => Read(line.Data);
            Process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException("the node ended before it was ready"));
            Process.Start();
            Process.BeginOutputReadLine();
            Process.BeginErrorReadLine();
        }

        public Process Process { get; }

        public string Output
        {
            get
            {
                lock (_output)
                {
                    return _output.ToString();
                }
            }
        }

        public static async Task<Serving> StartAsync(params string[] options)
        {
            Serving node = new(options);
            await node._ready.Task.WaitAsync(NodeHost.Deadline);
            return node;
        }

        /// <summary>The address in a line of the banner.</summary>
        public string Address(string what) => Output.Split('\n').First(line => line.TrimStart().StartsWith(what, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];

        public Task SignalAsync(string signal) =>
            Process.Start("kill", ["-" + signal, Process.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExitAsync();

        public async Task<int> ExitAsync()
        {
            await Process.WaitForExitAsync().WaitAsync(NodeHost.Deadline);
            return Process.ExitCode;
        }

        public void Dispose()
        {
            if (!Process.HasExited)
            {
                Process.Kill();
            }

            Process.Dispose();
        }

        private void Read(string? line)
        {
            lock (_output)
            {
                _output.Append(line).Append('\n');
            }

            if (line?.StartsWith("Ready in", StringComparison.Ordinal) == true)
            {
                _ready.TrySetResult();
            }
        }
    }
}
