namespace Sketch.Engine.Checkpoints;

/// <summary>How long the store takes for a window of many counters: one writer, and readers that take no lock.</summary>
internal sealed class StoreTimes(TimeProvider time)
{
    /// <summary>What the store takes for fewer counters is the waiting for its disk, which takes nothing from anyone.</summary>
    public const int Many = 100_000;

    // Windows stay open for a few times what the store takes. What it took longer ago than this many times was another traffic's.
    private const int Remembered = 10;

    private Last? _last;

    /// <summary>What the store took for the last window, or takes for this one already when that is longer; zero when that is long ago, or there was none.</summary>
    public TimeSpan Expected
    {
        get
        {
            if (Volatile.Read(ref _last) is not { } last)
            {
                return TimeSpan.Zero;
            }

            TimeSpan since = time.GetElapsedTime(last.At);
            return last.IsStoring ? Longer(since, last.Took) : since > last.Took * Remembered ? TimeSpan.Zero : last.Took;
        }
    }

    /// <summary>Stores a window; when that fails, it is as if it had not been tried.</summary>
    public async ValueTask MeasureAsync(int counters, Func<CancellationToken, ValueTask> store, CancellationToken cancellationToken)
    {
        if (counters < Many)
        {
            await store(cancellationToken).ConfigureAwait(false);
            return;
        }

        Last? before = _last;
        Last trying = new(time.GetTimestamp(), Expected, IsStoring: true);
        Volatile.Write(ref _last, trying);
        try
        {
            await store(cancellationToken).ConfigureAwait(false);
            before = new Last(time.GetTimestamp(), time.GetElapsedTime(trying.At), IsStoring: false);
        }
        finally
        {
            Volatile.Write(ref _last, before);
        }
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private sealed record Last(long At, TimeSpan Took, bool IsStoring);
}
