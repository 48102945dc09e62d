using System.Globalization;
using Sketch.Engine;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Log;
using Sketch.Server.Hosting;
using Sketch.Server.Rest;
using Sketch.Storage.Store;

namespace Sketch.Server.Verify;

/// <summary>One verification.</summary>
internal sealed class Verification(CountingEngine engine, ClickHouseStore store, RetainedLog log, string engineFolder, TimeProvider time)
{
    private const int MaxDifferences = 100;
    private const int HoursKept = 23; // a day at least: older ones may be gone
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<VerifyDifference> _differences = [];
    private readonly RowDigest _logRows = new();
    private readonly RowDigest _deltas = new();
    private readonly RowDigest _memory = new();
    private readonly RowDigest _totals = new();
    private readonly HashSet<DateTimeOffset> _hours = [];
    private ElementReplay _elements = new(0, null);
    private bool _isReplayed;
    private long _firstSeen;
    private long _windows;
    private long _notKept;

    /// <summary>Verifies the windows after a kept snapshot, and totals.</summary>
    /// <param name="snapshot">The snapshot's file.</param>
    /// <param name="partition">Only this partition's totals, and no history; null for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<VerifyAnswer> RunAsync(string snapshot, int? partition, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        long to = engine.Status.CheckpointPosition;
        long from = EngineSnapshot.PositionOf(engineFolder, snapshot);
        _elements = new ElementReplay(from, partition);
        _firstSeen = await store.FirstSeenAsync(log.Identity, cancellationToken).ConfigureAwait(false);
        try
        {
            await CompareWindowsAsync(snapshot, from, to, cancellationToken).ConfigureAwait(false);
            _isReplayed = true;
        }
        catch (Exception damaged) when (damaged is LogCorruptException or InvalidDataException)
        {
            Add("log", $"after position {from}", "records that are whole", damaged.Message);
        }
        catch (LogTruncatedException)
        {
            throw new ProblemException(Problem.Of(503, "verify-failed", "Not verified", "log", "cut off while it was read", "a retry") with { RetryAfterSeconds = 1 });
        }

        long counters = await CompareTotalsAsync(partition, cancellationToken).ConfigureAwait(false);
        long replayed = _isReplayed ? _elements.Kept : 0;
        (long distincts, long items) = await CompareElementsAsync(partition, to, cancellationToken).ConfigureAwait(false);
        (int hours, int days) = partition is null ? await CompareHistoryAsync(cancellationToken).ConfigureAwait(false) : (0, 0);
        return new VerifyAnswer(
            _differences.Count == 0, from + 1, to, _windows, _notKept, _logRows.Rows, _logRows.ToString(), _deltas.ToString(), counters, _memory.ToString(), _totals.ToString(),
            distincts, items, replayed, _elements.LeftOut, hours, days, _differences, Math.Round(time.GetElapsedTime(started).TotalSeconds, 3));
    }

    private async Task CompareWindowsAsync(string snapshot, long from, long to, CancellationToken cancellationToken)
    {
        Dictionary<long, StoredWindow> stored = (await store.ReadWindowsAsync(log.Identity, from, to, cancellationToken).ConfigureAwait(false)).ToDictionary(w => w.To);
        DateTime firstDay = await store.FirstDayOfDeltasAsync(cancellationToken).ConfigureAwait(false) ?? DateTime.MinValue;
        await foreach (ReplayedWindow replayed in LogReplay.WindowsAsync(log, engineFolder, snapshot, to, cancellationToken).ConfigureAwait(false))
        {
            Checkpoint window = replayed.Window;
            string where = string.Create(CultureInfo.InvariantCulture, $"positions {window.From} to {window.To}");
            _windows++;
            _elements.Add(replayed, hasHours: window.To >= _firstSeen);
            if (!stored.Remove(window.To, out StoredWindow found) || found.From != window.From)
            {
                Add("window", where, "stored", "not there");
                continue;
            }

            if (found.Increments != window.Increments)
                Add("window", where, $"{window.Increments} increments", $"{found.Increments}");
            DateTimeOffset first = DateTimeOffset.FromUnixTimeMilliseconds(window.FirstTimeMs);
            if (first.UtcDateTime.Date < firstDay)
            {
                _notKept++;
                continue;
            }

            _hours.Add(new DateTimeOffset(first.UtcDateTime.Date.AddHours(first.UtcDateTime.Hour), TimeSpan.Zero));
            await CompareWindowAsync(replayed, found, where, cancellationToken).ConfigureAwait(false);
        }

        foreach (StoredWindow extra in stored.Values)
            Add("window", string.Create(CultureInfo.InvariantCulture, $"positions {extra.From} to {extra.To}"), "no such window in the log", "stored");
    }

    private async Task CompareWindowAsync(ReplayedWindow replayed, StoredWindow found, string where, CancellationToken cancellationToken)
    {
        RowDigest expected = new();
        HashSet<ulong> left = [.. replayed.Restarted];
        foreach (DeltaRun run in replayed.Window.Deltas.Runs)
        {
            for (int i = 0; i < run.Ids.Length; i++)
            {
                if (left.Count == 0 || !left.Contains(run.Ids.Span[i]))
                    expected.Add(run.Ids.Span[i], run.Deltas.Span[i]);
            }
        }

        RowDigest actual = await store.DigestDeltasAsync(log.Identity, found, replayed.Restarted, cancellationToken).ConfigureAwait(false);
        Compare("deltas", where, expected, actual);
        _logRows.Add(expected);
        _deltas.Add(actual);
    }

    private async Task<long> CompareTotalsAsync(int? partition, CancellationToken cancellationToken)
    {
        using StorePause pause = await PauseAsync(cancellationToken).ConfigureAwait(false);
        long counters = 0;
        await foreach (IReadOnlyList<(ulong Id, long Total)> batch in store.ReadTotalsAsync(pause, partition, cancellationToken).ConfigureAwait(false))
        {
            foreach ((ulong id, long total) in batch)
            {
                // A counter that is out of memory is read from the store: there is nothing to compare.
                if (engine.TotalInMemory(id) is not { } held)
                    continue;
                counters++;
                _memory.Add(id, held);
                _totals.Add(id, total);
                if (held != total)
                    Add("totals", string.Create(CultureInfo.InvariantCulture, $"counter {id} at position {pause.Position}"), $"{held}", $"{total}");
            }
        }

        return counters;
    }

    private async Task<(long Distincts, long Items)> CompareElementsAsync(int? partition, long to, CancellationToken cancellationToken)
    {
        ElementVerification elements = new(engine, store, time, Add);
        using StorePause pause = await PauseAsync(cancellationToken).ConfigureAwait(false);
        long distincts = await elements.CompareDistinctsAsync(partition, cancellationToken).ConfigureAwait(false);
        long items = await elements.CompareItemsAsync(pause.Position, partition, cancellationToken).ConfigureAwait(false);
        // Half of a log says nothing of what else may be there.
        if (_isReplayed)
        {
            ReplayComparison replays = new(engine, store, _elements, to, Add);
            await replays.RunAsync(partition, time.GetUtcNow().AddHours(-HoursKept).ToUnixTimeSeconds(), cancellationToken).ConfigureAwait(false);
        }

        return (distincts, items);
    }

    private async Task<(int Hours, int Days)> CompareHistoryAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset[] hours = [.. _hours.Where(h => h > now.AddHours(-HoursKept)).Order()];
        foreach (DateTimeOffset hour in hours)
        {
            using StorePause pause = await PauseAsync(cancellationToken).ConfigureAwait(false);
            (RowDigest table, RowDigest deltas) = await store.DigestHourAsync(hour, pause, cancellationToken).ConfigureAwait(false);
            Compare("hour", hour.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture), deltas, table);
        }

        DateTime[] days = [.. hours.Select(h => h.UtcDateTime.Date).Distinct().Where(d => d == now.UtcDateTime.Date)];
        foreach (DateTime day in days)
        {
            using StorePause pause = await PauseAsync(cancellationToken).ConfigureAwait(false);
            (RowDigest table, RowDigest sums) = await store.DigestDayAsync(day, pause, cancellationToken).ConfigureAwait(false);
            Compare("day", day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), sums, table);
        }

        return (hours.Length, days.Length);
    }

    private async Task<StorePause> PauseAsync(CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        while (true)
        {
            StorePause pause = await store.PauseAsync(log.Identity, cancellationToken).ConfigureAwait(false);
            // What was just stored becomes what readers see a moment later.
            for (int i = 0; i < 50; i++)
            {
                if (engine.IsExactAt(pause.Position))
                    return pause;
                await Task.Delay(TimeSpan.FromMilliseconds(2), time, cancellationToken).ConfigureAwait(false);
            }

            pause.Dispose();
            if (time.GetElapsedTime(started) > Patience)
                throw new CheckpointStoreException("the store and what readers see did not meet");
        }
    }

    private void Compare(string what, string where, RowDigest expected, RowDigest found)
    {
        foreach (int partition in expected.DiffersFrom(found))
            Add(what, $"{where}, partition {partition}", $"{expected} of {expected.Rows} rows", $"{found} of {found.Rows} rows");
    }

    private void Add(string what, string where, string expected, string found)
    {
        if (_differences.Count < MaxDifferences)
            _differences.Add(new VerifyDifference(what, where, expected, found));
    }
}
