using System.Diagnostics.Metrics;
using Sketch.Engine;
using Sketch.Engine.Checkpoints;
using Sketch.Server.Hosting;
using Sketch.Server.Rest;
using Sketch.Storage.Store;

namespace Sketch.Server.Verify;

/// <summary>
/// Compares what must be the same: windows computed again from the log with their deltas in ClickHouse, totals, distinct counts and items in memory with those in ClickHouse, elements in the log with states, members and items, hours with
/// deltas and days with hours. All of it on request, and every minute a sample: the newest windows, and the counters of one partition.
/// </summary>
internal sealed partial class NodeVerification : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    private readonly CountingEngine _engine;
    private readonly ClickHouseStore _store;
    private readonly RetainedLog _log;
    private readonly string _engineFolder;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeVerification> _logger;
    private readonly SemaphoreSlim _one = new(1);
    private long _compared;
    private long _differences;
    private long _lastAtMs;

    public NodeVerification(
        CountingEngine engine, ClickHouseStore store, RetainedLog log, string engineFolder, TimeProvider time, ILogger<NodeVerification> logger)
    {
        _engine = engine;
        _store = store;
        _log = log;
        _engineFolder = engineFolder;
        _time = time;
        _logger = logger;
        Meter meter = engine.Meter;
        meter.CreateObservableCounter("verify_compared", () => Volatile.Read(ref _compared), description: "Rows and totals that verification compared.");
        meter.CreateObservableCounter("verify_differences", () => Volatile.Read(ref _differences), description: "Differences that verification found; anything but 0 is a fault.");
        meter.CreateObservableGauge("verify_last_seconds", () => Volatile.Read(ref _lastAtMs) / 1000.0, description: "When verification last ended, in seconds since 1970.");
    }

    /// <summary>Verifies everything that the log still holds, and all totals.</summary>
    public async Task<VerifyAnswer> RunAsync(CancellationToken cancellationToken)
    {
        if (!await _one.WaitAsync(0, cancellationToken).ConfigureAwait(false))
            throw new ProblemException(Problem.Of(409, "verify-running", "A verification is running", "verify", "begun while another runs", "one at a time"));
        try
        {
            return await RunAsync(RetainedLog.Anchor, null, cancellationToken).ConfigureAwait(false);
        }
        catch (CheckpointStoreException failure)
        {
            throw new ProblemException(Problem.Of(503, "verify-failed", "Not verified", "clickhouse", failure.Message, "a retry in a few seconds") with { RetryAfterSeconds = 5 });
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Verifies a sample every minute until cancelled.</summary>
    public async Task SampleAsync(CancellationToken cancellationToken)
    {
        for (int partition = 0; ; partition = (partition + 1) % Sketch.Engine.Catalogue.CounterId.Partitions)
        {
            await Task.Delay(Every, _time, cancellationToken).ConfigureAwait(false);
            await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                VerifyAnswer answer = await RunAsync(EngineSnapshot.Newest, partition, cancellationToken).ConfigureAwait(false);
                foreach (VerifyDifference difference in answer.Differences)
                    LogDifference(difference.What, difference.Where, difference.Expected, difference.Found);
            }
            catch (Exception failure) when (failure is IOException or ProblemException)
            {
                LogNotVerified((failure as ProblemException)?.Problem.Detail ?? failure.Message);
            }
            finally
            {
                _one.Release();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<VerifyAnswer> RunAsync(string snapshot, int? partition, CancellationToken cancellationToken)
    {
        Verification run = new(_engine, _store, _log, _engineFolder, _time);
        VerifyAnswer answer = await run.RunAsync(snapshot, partition, cancellationToken).ConfigureAwait(false);
        Interlocked.Add(ref _compared, answer.Rows + answer.Counters + answer.Distincts + answer.Items + answer.LogElements);
        Interlocked.Add(ref _differences, answer.Differences.Count);
        Volatile.Write(ref _lastAtMs, _time.GetUtcNow().ToUnixTimeMilliseconds());
        return answer;
    }

    [LoggerMessage(LogLevel.Error, "Verification found a difference: {What} {Where}: {Expected} expected, ClickHouse holds {Found}")]
    private partial void LogDifference(string what, string where, string expected, string found);

    [LoggerMessage(LogLevel.Warning, "Not verified this minute: {Why}")]
    private partial void LogNotVerified(string why);
}
