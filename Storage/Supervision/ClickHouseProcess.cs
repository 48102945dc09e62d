using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Sketch.Storage.Supervision;

/// <summary>
/// The embedded ClickHouse process under supervision: started, asked whether it answers, started anew with growing pauses when it dies or hangs,
/// ended with the node. It ends itself when this process dies, because its standard input closes then.
/// </summary>
public sealed partial class ClickHouseProcess : IAsyncDisposable
{
    private readonly ClickHouseProcessOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly string _secret = RandomNumberGenerator.GetHexString(64, lowercase: true);
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _ping = new() { Timeout = TimeSpan.FromSeconds(5) };
    private Task _supervision = Task.CompletedTask;
    private volatile ClickHouseChild? _child;
    private int _restarts;

    private ClickHouseProcess(ClickHouseProcessOptions options, ILogger<ClickHouseProcess> logger, TimeProvider time)
    {
        _options = options;
        _logger = logger;
        _time = time;
    }

    /// <summary>Where it listens now. A restart keeps the port when it can: ask anew for every connection.</summary>
    public Uri Address => _child is { } child ? new Uri($"http://127.0.0.1:{child.Port}/") : throw new ObjectDisposedException(nameof(ClickHouseProcess));

    /// <summary>The user that may write.</summary>
    public static string User => Embedded.Http.ClickHouseHttp.Writer;

    /// <summary>That user's password, drawn anew for every start of the node.</summary>
    public string Password => _secret;

    /// <summary>The process, for figures about it.</summary>
    public int ProcessId => _child?.Id ?? 0;

    /// <summary>How often it was started anew.</summary>
    public int Restarts => Volatile.Read(ref _restarts);

    /// <summary>Raised after each restart, once it answers again.</summary>
    public event Action? Restarted;

    /// <summary>Starts the process and returns once it answers.</summary>
    /// <param name="options">What to start.</param>
    /// <param name="logger">Receives what the process prints, and its restarts.</param>
    /// <param name="time">The clock of pauses and pings.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">It ended or did not answer in time; the message holds what it said.</exception>
    public static async Task<ClickHouseProcess> StartAsync(
        ClickHouseProcessOptions options, ILogger<ClickHouseProcess> logger, TimeProvider time, CancellationToken cancellationToken)
    {
        ClickHouseProcess process = new(options, logger, time);
        try
        {
            process._child = await process.StartChildAsync(options.ClickHouse.Port, cancellationToken);
            process._supervision = Task.Run(process.SuperviseAsync, CancellationToken.None);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the process: asked first, killed when it takes too long.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        await _supervision;
        if (_child is { } child)
        {
            await child.StopAsync(_options.StopTimeout);
        }

        _ping.Dispose();
        _stop.Dispose();
    }

    private async Task<ClickHouseChild> StartChildAsync(int port, CancellationToken cancellationToken)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_options.StartTimeout);
        long started = Stopwatch.GetTimestamp();
        ClickHouseChild child = ClickHouseChild.Start(
            [.. _options.Command, .. (_options.ClickHouse with { Port = port }).ToArguments()], _secret, _logger);
        try
        {
            await child.WaitReadyAsync(deadline.Token);
            while (!await AnswersAsync(child, deadline.Token))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), deadline.Token);
            }

            LogStarted(child.Id, child.Port, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            return child;
        }
        catch (Exception error)
        {
            await child.StopAsync(TimeSpan.Zero);
            throw error is OperationCanceledException && !cancellationToken.IsCancellationRequested
                ? new IOException($"The embedded ClickHouse process did not answer within {_options.StartTimeout}: {child.LastWords}")
                : error;
        }
    }

    private async Task SuperviseAsync()
    {
        try
        {
            while (true)
            {
                await WatchAsync(_child!);
                await RestartAsync();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    private async Task WatchAsync(ClickHouseChild child)
    {
        for (int silent = 0; silent < 3;)
        {
            Task pause = Task.Delay(_options.PingEvery, _time, _stop.Token);
            if (await Task.WhenAny(child.Exited, pause) == child.Exited)
            {
                LogEnded(child.Id, child.LastWords);
                return;
            }

            await pause;
            silent = await AnswersAsync(child, _stop.Token) ? 0 : silent + 1;
        }

        LogHangs(child.Id);
        await child.StopAsync(TimeSpan.Zero);
    }

    private async Task RestartAsync()
    {
        for (TimeSpan pause = _options.Backoff; ; pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, _options.MaxBackoff.Ticks)))
        {
            await Task.Delay(pause, _time, _stop.Token);
            try
            {
                _child = await StartChildAsync(_child!.Port, _stop.Token);
                Interlocked.Increment(ref _restarts);
                Restarted?.Invoke();
                return;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogStartFailed(error, pause.TotalSeconds);
            }
        }
    }

    private async Task<bool> AnswersAsync(ClickHouseChild child, CancellationToken cancellationToken)
    {
        try
        {
            return await _ping.GetStringAsync(new Uri($"http://127.0.0.1:{child.Port}/ping"), cancellationToken) == "Ok.\n";
        }
        catch (Exception error) when (error is HttpRequestException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "Embedded ClickHouse runs as process {Id} on port {Port} after {Milliseconds} ms")]
    private partial void LogStarted(int id, int port, long milliseconds);

    [LoggerMessage(LogLevel.Error, "Embedded ClickHouse process {Id} ended by itself and is started anew. {LastWords}")]
    private partial void LogEnded(int id, string lastWords);

    [LoggerMessage(LogLevel.Error, "Embedded ClickHouse process {Id} does not answer; it is killed and started anew")]
    private partial void LogHangs(int id);

    [LoggerMessage(LogLevel.Error, "Embedded ClickHouse did not start after a pause of {Seconds} s")]
    private partial void LogStartFailed(Exception error, double seconds);
}
