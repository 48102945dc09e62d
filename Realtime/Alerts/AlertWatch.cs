using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sketch.Engine.Reads;

namespace Sketch.Realtime.Alerts;

/// <summary>Judges all rules once a second.</summary>
internal sealed partial class AlertWatch(AlertBook book, ICounterReader reader, TimeProvider time, ILogger<AlertWatch> log) : BackgroundService
{
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>Judgements so far.</summary>
    public long Rounds => Interlocked.Read(ref _rounds);

    // Made with the service, so that no second is missed however late its loop begins.
    private readonly PeriodicTimer _timer = new(Every, time);
    private long _rounds;

    public override void Dispose()
    {
        _timer.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        bool failing = false;
        while (await _timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                book.Judge(reader);
                await book.KeepAsync(stoppingToken);
                failing = false;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (InvalidOperationException)
            {
                // The node is still opening, or closing.
            }
#pragma warning disable CA1031 // Alerts are judged again in a second; that they are not is said once.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                if (!failing)
                    LogFailed(failure);
                failing = true;
            }

            Interlocked.Increment(ref _rounds);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Alerts could not be judged, or which of them fire could not be kept; trying again every second.")]
    private partial void LogFailed(Exception failure);
}
