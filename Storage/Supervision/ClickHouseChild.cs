using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Sketch.Storage.Embedded;

namespace Sketch.Storage.Supervision;

/// <summary>One run of the embedded ClickHouse process.</summary>
internal sealed partial class ClickHouseChild
{
    private const int Terminate = 15;
    private const int KillNow = 9;
    private const int KeptLines = 20;

    private readonly Process _process;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource<int> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _lines = new();

    private int _exitCode;

    private ClickHouseChild(Process process, ILogger logger)
    {
        _process = process;
        _logger = logger;
        Id = process.Id;
        Exited = WaitAsync();
    }

    public int Id { get; }

    public int Port => _port.Task.IsCompletedSuccessfully ? _port.Task.Result : 0;

    /// <summary>Completes when the process has ended.</summary>
    public Task Exited { get; }

    /// <summary>What it printed last, and how it ended.</summary>
    public string LastWords => (Exited.IsCompleted ? $"Exit code {_exitCode}. " : "") + string.Join(" | ", _lines);

    public static ClickHouseChild Start(IReadOnlyList<string> command, string secret, ILogger logger)
    {
        ProcessStartInfo start = new(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        Process process = Process.Start(start) ?? throw new IOException($"{command[0]} does not start");
        ClickHouseChild child = new(process, logger);
        process.OutputDataReceived += (_, line) => child.Read(line.Data);
        process.ErrorDataReceived += (_, line) => child.Read(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            // The secret travels through the pipe only: arguments and environment are readable for others.
            process.StandardInput.Write(secret + "\n");
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It ended already: WaitReadyAsync says so, with its last words.
        }

        return child;
    }

    /// <summary>Waits until the process says where it listens.</summary>
    /// <exception cref="IOException">It ended before.</exception>
    public async Task WaitReadyAsync(CancellationToken cancellationToken)
    {
        if (await Task.WhenAny(_port.Task, Exited).WaitAsync(cancellationToken) == Exited)
        {
            throw new IOException($"The embedded ClickHouse process ended at its start. {LastWords}");
        }
    }

    /// <summary>Asks it to end, and kills it when it has not after the given time.</summary>
    public async Task StopAsync(TimeSpan timeout)
    {
        if (timeout > TimeSpan.Zero && !Exited.IsCompleted)
        {
            _ = Kill(Id, Terminate);
            await Task.WhenAny(Exited, Task.Delay(timeout));
        }

        if (!Exited.IsCompleted)
        {
            _ = Kill(Id, KillNow);
        }

        await Exited;
    }

    private async Task WaitAsync()
    {
        await _process.WaitForExitAsync();
        _exitCode = _process.ExitCode;
        _process.Dispose();
    }

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        if (line.StartsWith(EmbeddedClickHouse.ReadyLine, StringComparison.Ordinal))
        {
            _port.TrySetResult(int.Parse(line.AsSpan(EmbeddedClickHouse.ReadyLine.Length), CultureInfo.InvariantCulture));
            return;
        }

        _lines.Enqueue(line);
        while (_lines.Count > KeptLines)
        {
            _lines.TryDequeue(out _);
        }

        LogLine(line);
    }

    [LoggerMessage(LogLevel.Information, "clickhouse: {Line}")]
    private partial void LogLine(string line);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
