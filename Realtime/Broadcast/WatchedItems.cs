using System.Collections.Concurrent;
using Sketch.Engine.Reads;

namespace Sketch.Realtime.Broadcast;

/// <summary>Items and when they were read.</summary>
internal sealed record LiveItems(DateTime AsOf, IReadOnlyList<LiveItem> Items);

/// <summary>The newest items of a watched counter of the kind top. The loop takes what was read beside it.</summary>
internal sealed class WatchedItems
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private LiveItems? _current;
    private LiveItems? _found;
    private long? _askedAt;
    private bool _isAsked;

    /// <summary>What is shown; the same object as long as the items are the same.</summary>
    public LiveItems? Take()
    {
        var found = Interlocked.Exchange(ref _found, null);
        if (found is not null && (_current is null || !found.Items.SequenceEqual(_current.Items)))
            _current = found;
        return _current;
    }

    /// <summary>True when it is time to read them again.</summary>
    public bool TryAsk(TimeProvider time)
    {
        if (Volatile.Read(ref _isAsked) || (_askedAt is { } at && time.GetElapsedTime(at) < Every))
            return false;
        _askedAt = time.GetTimestamp();
        _isAsked = true;
        return true;
    }

    /// <summary>Told by who read them; null when they could not be read.</summary>
    public void Found(LiveItems? items)
    {
        if (items is not null)
            Volatile.Write(ref _found, items);
        Volatile.Write(ref _isAsked, false);
    }
}

/// <summary>
/// Reads items beside the loop, which would stand still for a millisecond a counter: one counter after the other, each at most once a second, so that many of them are read
/// less often and take one core at most.
/// </summary>
internal sealed class ItemReader(ICounterReader reader, TimeProvider time)
{
    // A counter is in it once.
    private readonly ConcurrentQueue<(string Namespace, string Name, WatchedItems Items)> _asked = new();
    private int _isReading;

    /// <summary>Has them read when it is time to.</summary>
    public void Ask(string @namespace, string name, WatchedItems items)
    {
        if (!items.TryAsk(time))
            return;
        _asked.Enqueue((@namespace, name, items));
        if (Interlocked.Exchange(ref _isReading, 1) == 0)
            _ = Task.Run(ReadAll);
    }

    private void ReadAll()
    {
        do
        {
            while (_asked.TryDequeue(out var next))
                next.Items.Found(Read(next.Namespace, next.Name));
            Volatile.Write(ref _isReading, 0);
        }
        while (!_asked.IsEmpty && Interlocked.Exchange(ref _isReading, 1) == 0);
    }

    private LiveItems? Read(string @namespace, string name)
    {
        try
        {
            var now = time.GetUtcNow().UtcDateTime;
            return reader.LargestItems(@namespace, name, RealtimeLimits.MaxItems) is { } read ? new LiveItems(now, [.. read.Items.Select(LiveItem.From)]) : null;
        }
#pragma warning disable CA1031 // The values of the same namespace cannot be read either then, which is logged; what was shown stays.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }
}
