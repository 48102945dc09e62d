using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Sketch.Engine.Log;
using Sketch.Server;
using Sketch.Server.Hosting;
using Sketch.Tests.Engine;

namespace Sketch.Tests.Server;

public class NodeTests
{
    [Fact]
    public async Task A_restarted_node_has_what_it_acknowledged()
    {
        string folder = NodeHost.NewFolder();
        MemoryStore store = new();
        await using (NodeHost first = await NodeHost.StartAsync(folder: folder, store: store))
        {
            await first.PutAsync("/v1/namespaces/shop", """{"tier":"strong"}""");
            await first.PostAsync("/v1/namespaces/shop/increments", """{"producer":"p","sequence":1,"increments":[{"name":"a","delta":5}]}""");
            await first.Node.DisposeAsync();
            await using NodeHost second = await NodeHost.StartAsync(folder: folder, store: store);
            Assert.Equal(5, await second.ValueAsync("shop", "a"));
            Answer again = await second.PostAsync("/v1/namespaces/shop/increments", """{"producer":"p","sequence":1,"increments":[{"name":"a","delta":5}]}""");
            Assert.True(again.Json.GetProperty("duplicate").GetBoolean());
            Assert.Equal(5, await second.ValueAsync("shop", "a"));
            await second.Node.DisposeAsync();
            Directory.CreateDirectory(folder);
        }
    }

    [Fact]
    public async Task A_folder_in_use_is_refused_with_the_process_that_has_it()
    {
        await using NodeHost first = await NodeHost.StartAsync();
        SettingException refused = await Assert.ThrowsAsync<SettingException>(() => NodeHost.StartAsync(folder: first.Folder));
        Assert.Equal(ExitCode.InUse, refused.ExitStatus);
        Assert.Contains($"{first.Folder}, in use by process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_with_files_of_something_else_is_refused()
    {
        string folder = NodeHost.NewFolder();
        await File.WriteAllTextAsync(Path.Combine(folder, "letter.txt"), "dear");
        SettingException refused = await Assert.ThrowsAsync<SettingException>(() => NodeHost.StartAsync(folder: folder));
        Assert.Contains("holds files of something else", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["letter.txt"], Directory.GetFiles(folder).Select(Path.GetFileName));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_taken_port_is_refused_by_its_option(bool sql)
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        string folder = NodeHost.NewFolder();
        SettingException refused = await Assert.ThrowsAsync<SettingException>(() =>
            NodeHost.StartAsync(options => sql ? options with { SqlPort = port } : options with { HttpPort = port }, folder));
        Assert.Equal(ExitCode.InUse, refused.ExitStatus);
        Assert.StartsWith($"{(sql ? "--sql-port" : "--http-port")} is {port}, which another process uses", refused.Message, StringComparison.Ordinal);
        await (await NodeHost.StartAsync(folder: folder)).DisposeAsync();
    }

    [Fact]
    public async Task A_node_that_is_opening_is_alive_and_turns_requests_away()
    {
        string folder = NodeHost.NewFolder();
        TaskCompletionSource go = new();
        TaskCompletionSource<Uri> listening = new();
        NodeSeams seams = NodeHost.Seams(new MemoryStore());
        Task<Node> starting = Node.StartAsync(
            new ServeOptions { Data = folder, HttpPort = 0, SqlPort = 0 },
            seams with
            {
                OpenStore = async (options, loggers, time, cancellationToken) =>
                {
                    await go.Task;
                    return await seams.OpenStore(options, loggers, time, cancellationToken);
                },
            },
            new ConfigurationBuilder().Build(),
            node => listening.SetResult(node.Http),
            default);
        using HttpClient http = new() { BaseAddress = await listening.Task };
        using HttpResponseMessage live = await http.GetAsync("/health/live");
        using HttpResponseMessage ready = await http.GetAsync("/health/ready");
        using HttpResponseMessage routed = await http.GetAsync("/v1/namespaces");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), (live.StatusCode, ready.StatusCode));
        Answer answer = await Answer.ReadAsync(routed);
        answer.IsProblem(503, "node", "of its log replayed", "a retry");
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);

        go.SetResult();
        await using Node node = await starting;
        using HttpResponseMessage now = await http.GetAsync("/v1/namespaces");
        Assert.Equal(HttpStatusCode.OK, now.StatusCode);
        await node.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Demo_traffic_flows_when_nothing_else_is_there()
    {
        await using NodeHost node = await NodeHost.StartAsync(options => options with { Bare = true });
        Assert.True(node.Node.SendsDemo);
        Stopwatch waited = Stopwatch.StartNew();
        while (await node.ValueAsync("demo", "page:/") == 0 || await node.ValueAsync("demo", DemoTraffic.Orders) == 0)
        {
            Assert.True(waited.Elapsed < NodeHost.Deadline);
            await Task.Delay(20);
        }
    }

    [Theory]
    [InlineData(true, null, false, true)]
    [InlineData(true, null, true, false)]
    [InlineData(true, false, false, false)]
    [InlineData(false, null, false, false)]
    [InlineData(false, true, true, true)]
    public async Task Demo_traffic_is_a_matter_of_options_and_of_what_is_there(bool bare, bool? demo, bool hasNamespace, bool expected)
    {
        string folder = NodeHost.NewFolder();
        MemoryStore store = new();
        NodeHost first = await NodeHost.StartAsync(folder: folder, store: store);
        if (hasNamespace)
        {
            await first.PutAsync("/v1/namespaces/mine", "{}");
        }

        await first.Node.DisposeAsync();
        await using NodeHost second = await NodeHost.StartAsync(options => options with { Bare = bare, Demo = demo }, folder, store);
        Assert.Equal(expected, second.Node.SendsDemo);
    }

    [Fact]
    public async Task A_log_that_fails_ends_the_node_with_its_reason()
    {
        FailingLog? log = null;
        NodeSeams seams = NodeHost.Seams(new MemoryStore());
        string folder = NodeHost.NewFolder();
        await using Node node = await Node.StartAsync(
            new ServeOptions { Data = folder, HttpPort = 0, SqlPort = 0 },
            seams with { OpenLog = async (options, time, token) => log = new FailingLog(await seams.OpenLog(options, time, token)) },
            new ConfigurationBuilder().Build(),
            null,
            default);
        log!.Fail(new IOException("fdatasync: EIO"));
        Assert.Contains("fdatasync: EIO", await node.Failed.WaitAsync(NodeHost.Deadline), StringComparison.Ordinal);
        using HttpClient http = new() { BaseAddress = node.Http };
        using HttpResponseMessage ready = await http.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("fdatasync: EIO", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private sealed class FailingLog(IIncrementLog inner) : IIncrementLog
    {
        private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LogIdentity Identity => inner.Identity;

        public LogRange Range => inner.Range;

        public Task Failed => _failed.Task;

        public void Fail(Exception failure) => _failed.SetException(failure);

        public ValueTask<Appended> AppendAsync(LogRecord record, Durability durability, CancellationToken cancellationToken) =>
            inner.AppendAsync(record, durability, cancellationToken);

        public IAsyncEnumerable<LogSlice> ReadAsync(long from, bool follow, CancellationToken cancellationToken) =>
            inner.ReadAsync(from, follow, cancellationToken);

        public ValueTask TruncateBeforeAsync(long position, CancellationToken cancellationToken) => inner.TruncateBeforeAsync(position, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
