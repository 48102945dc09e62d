using Sketch.Engine.Reads;

namespace Sketch.Realtime.Broadcast;

/// <summary>
/// A counter without a value may only be out of memory. Before it is said to be gone, or left out of a first frame, it is brought in: once, until it was seen again.
/// </summary>
internal sealed class WarmUps(ICounterReader reader, TimeProvider time, Action wake)
{
    /// <summary>A first frame waits no longer than this; what arrives later is in a later one.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(1);

    /// <summary>Brings counters in.</summary>
    /// <returns>False when there was nothing to wait for: there are no such counters.</returns>
    public bool Start(string @namespace, IReadOnlyList<WatchedCounter> cold)
    {
        var late = new CancellationTokenSource(MaxWait, time);
        var loading = LoadAsync(@namespace, [.. cold.Select(counter => counter.Name)], late.Token);
        bool isLoading = !loading.IsCompleted;
        foreach (var counter in cold)
            counter.BeginWarmUp(isLoading);
        if (isLoading)
            _ = EndAsync(loading, cold, late);
        else
            late.Dispose();
        return isLoading;
    }

    private async Task LoadAsync(string @namespace, IReadOnlyList<string> names, CancellationToken late)
    {
        try
        {
            await reader.WarmAsync(@namespace, names, late);
        }
#pragma warning disable CA1031 // Whatever went wrong, the counter is as absent as it was; the engine goes on looking for what it misses.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private async Task EndAsync(Task loading, IReadOnlyList<WatchedCounter> cold, CancellationTokenSource late)
    {
        await loading;
        late.Dispose();
        foreach (var counter in cold)
            counter.BroughtIn();
        wake();
    }
}
