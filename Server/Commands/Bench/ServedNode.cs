using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Sketch.Server.Commands.Bench;

/// <summary>A node in a process of its own, started from this executable on a folder of its own, and measured from outside.</summary>
internal sealed class ServedNode : IAsyncDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServedNode(IReadOnlyList<string> options)
    {
        string self = Environment.ProcessPath ?? throw new CommandException("the path of this executable is not known; give a running node with --url");
        bool isHosted = Path.GetFileNameWithoutExtension(self) == "dotnet";
        string[] command = isHosted ? [typeof(ServedNode).Assembly.Location, "serve"] : ["serve"];
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(self, [.. command, .. options]) { RedirectStandardOutput = true, RedirectStandardError = true },
            EnableRaisingEvents = true,
        };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Exited += (_, _) => _ready.TrySetException(new CommandException($"the node ended before it was ready: {Output}"));
    }

    /// <summary>What it printed.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>REST.</summary>
    public Uri Http => Address("Dashboard");

    /// <summary>ClickHouse's interface.</summary>
    public Uri Sql => Address("SQL");

    /// <summary>Starts it, and waits until it counts.</summary>
    /// <param name="options">Options of <c>serve</c>; ports are free ones.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ServedNode> StartAsync(IReadOnlyList<string> options, CancellationToken cancellationToken)
    {
        ServedNode node = new(["--http-port", "0", "--sql-port", "0", "--no-demo", .. options]);
        node._process.Start();
        node._process.BeginOutputReadLine();
        node._process.BeginErrorReadLine();
        try
        {
            await node._ready.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return node;
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Processor time and memory so far: of the node, and of its ClickHouse.</summary>
    public (ProcessUse Node, ProcessUse ClickHouse) Use()
    {
        ProcessUse clickHouse = default;
        foreach (string task in Directory.GetDirectories($"/proc/{_process.Id}/task"))
        {
            foreach (string child in File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                clickHouse += ProcessUse.Of(int.Parse(child, CultureInfo.InvariantCulture));
        }

        return (ProcessUse.Of(_process.Id), clickHouse);
    }

    /// <summary>Memory of the node now.</summary>
    public long MemoryBytes()
    {
        const string Resident = "VmRSS:";
        string line = File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith(Resident, StringComparison.Ordinal));
        return long.Parse(line[Resident.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) << 10;
    }

    /// <summary>Ends it as a power cut would end the process.</summary>
    public void Kill() => _process.Kill(entireProcessTree: true);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            await kill.WaitForExitAsync().ConfigureAwait(false);
            using CancellationTokenSource late = new(StopTime);
            await _process.WaitForExitAsync(late.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited)
                _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private Uri Address(string what) => new(
        Output.Split('\n').First(line => line.TrimStart().StartsWith(what, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);

    private void Read(string? line)
    {
        lock (_output)
            _output.Append(line).Append('\n');
        if (line?.StartsWith("Ready in", StringComparison.Ordinal) == true)
            _ready.TrySetResult();
    }
}

/// <summary>What a process has used.</summary>
/// <param name="Seconds">Processor time.</param>
/// <param name="PeakBytes">The most memory it ever held.</param>
/// <param name="WrittenBytes">What it made the disk write.</param>
internal readonly record struct ProcessUse(double Seconds, long PeakBytes, long WrittenBytes)
{
    /// <summary>Two processes together.</summary>
    public static ProcessUse operator +(ProcessUse one, ProcessUse other) => new(
        one.Seconds + other.Seconds, one.PeakBytes + other.PeakBytes, one.WrittenBytes + other.WrittenBytes);

    /// <summary>Of a running process.</summary>
    public static ProcessUse Of(int id)
    {
        using Process process = Process.GetProcessById(id);
        const string Written = "write_bytes: ";
        string written = File.ReadLines($"/proc/{id}/io").First(line => line.StartsWith(Written, StringComparison.Ordinal))[Written.Length..];
        return new ProcessUse(process.TotalProcessorTime.TotalSeconds, process.PeakWorkingSet64, long.Parse(written, CultureInfo.InvariantCulture));
    }
}
