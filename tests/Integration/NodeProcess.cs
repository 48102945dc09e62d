using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sketch.Tests.Integration;

/// <summary>A real node in a process of its own, on free ports and a data folder that both outlive the process: it can be killed and started again.</summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);

    private readonly StringBuilder _output = new();
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "sketch-node-" + Guid.NewGuid().ToString("n"));
    private Process? _process;

    private string[] _options = [];

    private NodeProcess()
    {
    }

    public Uri Http { get; } = new($"http://127.0.0.1:{FreePort()}");

    public Uri Sql { get; } = new($"http://127.0.0.1:{FreePort()}");

    /// <summary>The process.</summary>
    public int Id => _process!.Id;

    /// <summary>What the node printed so far, for messages of failed tests.</summary>
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

    public static Task<NodeProcess> StartNew(params string[] options) => StartNewIn(_ => Task.CompletedTask, options);

    /// <summary>Starts a node in a data folder that is prepared before.</summary>
    public static async Task<NodeProcess> StartNewIn(Func<string, Task> prepare, params string[] options)
    {
        NodeProcess node = new() { _options = options };
        await prepare(node._folder);
        await node.Start();
        return node;
    }

    /// <summary>Starts the node (again), with other options if some are given, and waits until it is ready.</summary>
    public async Task Start(params string[] options)
    {
        _options = options.Length > 0 ? options : _options;
        Process process = Command.Start(
            Repository.SketchExecutable,
            ["serve", "--data", _folder, "--http-port", $"{Http.Port}", "--sql-port", $"{Sql.Port}", .. _options]);
        process.OutputDataReceived += Collect;
        process.ErrorDataReceived += Collect;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _process = process;

        using HttpClient client = new() { Timeout = TimeSpan.FromSeconds(5) };
        long started = Stopwatch.GetTimestamp();
        while (!await IsReady(client))
        {
            Assert.False(process.HasExited, $"the node ended:\n{Output}");
            Assert.True(Stopwatch.GetElapsedTime(started) < StartDeadline, $"the node was not ready in {StartDeadline.TotalSeconds} s:\n{Output}");
            await Task.Delay(50);
        }
    }

    /// <summary>The node's processor time goes to others, as under a debugger: connections stand, and nothing comes.</summary>
    public Task Freeze() => Command.Run("kill", ["-STOP", $"{_process!.Id}"]);

    /// <summary>It goes on.</summary>
    public Task Thaw() => Command.Run("kill", ["-CONT", $"{_process!.Id}"]);

    /// <summary>kill -9.</summary>
    public async Task Kill()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks the node to stop, and waits until it has.</summary>
    public async Task Stop()
    {
        await Command.Run("kill", ["-TERM", $"{_process!.Id}"]);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await Stop();
        }

        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<bool> IsReady(HttpClient client)
    {
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(Http, "/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private void Collect(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
        {
            _output.AppendLine(line.Data);
        }
    }
}
