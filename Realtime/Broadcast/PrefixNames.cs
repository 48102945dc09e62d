using Sketch.Engine.Reads;

namespace Sketch.Realtime.Broadcast;

/// <summary>
/// The counters that a prefix matches, shared by all who subscribed to it. Names are looked up beside the loop, which never waits for them;
/// the loop takes what was found at its next round.
/// </summary>
internal sealed class PrefixNames(ReadGroup group, string prefix)
{
    /// <summary>New names show up within this time.</summary>
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromSeconds(1);

    private readonly List<Member> _members = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private long? _refreshedAt;
    private bool _refreshing;
    private Found? _found;

    /// <summary>A counter, and the round in which the prefix first matched it.</summary>
    public readonly record struct Member(WatchedCounter Counter, long JoinedRound);

    public string Prefix => prefix;

    public int References { get; set; }

    /// <summary>False until the first look-up is done.</summary>
    public bool IsLoaded { get; private set; }

    /// <summary>More names match than a subscription may hold.</summary>
    public bool Truncated { get; private set; }

    public IReadOnlyList<Member> Members => _members;

    /// <summary>The round in which a look-up failed last.</summary>
    public long FailedRound { get; private set; } = -1;

    /// <summary>Takes what was found since the last round; the failure when the look-up failed.</summary>
    public Exception? Adopt(long round)
    {
        var found = Interlocked.Exchange(ref _found, null);
        if (found is null)
            return null;
        _refreshing = false;
        if (found.Failure is not null)
        {
            FailedRound = round;
            return found.Failure;
        }

        foreach (string name in found.Names)
        {
            if (_members.Count < RealtimeLimits.MaxNames && _known.Add(name))
                _members.Add(new Member(group.Hold(name), round));
        }

        Truncated = found.More;
        IsLoaded = true;
        return null;
    }

    /// <summary>Starts a look-up when the last one is old enough; <paramref name="wake"/> is called when there is something to adopt.</summary>
    public void RefreshIfOld(ICounterReader reader, TimeProvider time, Action wake, CancellationToken stopping)
    {
        if (_refreshing || Truncated || (_refreshedAt is { } at && time.GetElapsedTime(at) < RefreshEvery))
            return;
        _refreshing = true;
        _refreshedAt = time.GetTimestamp();
        _ = Task.Run(
            async () =>
            {
                Volatile.Write(ref _found, await FindAsync(reader, stopping));
                wake();
            },
            CancellationToken.None);
    }

    public void Clear()
    {
        foreach (var member in _members)
            group.Release(member.Counter);
        _members.Clear();
    }

    private async Task<Found> FindAsync(ICounterReader reader, CancellationToken stopping)
    {
        try
        {
            var names = await reader.FindAsync(group.Namespace, prefix, null, RealtimeLimits.MaxNames, stopping);
            bool more = names.Count == RealtimeLimits.MaxNames
                && (await reader.FindAsync(group.Namespace, prefix, names[^1], 1, stopping)).Count > 0;
            return new Found(names, more, null);
        }
#pragma warning disable CA1031 // Whatever went wrong belongs to the subscribers of this prefix, who are told; the loop goes on.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return new Found([], false, failure);
        }
    }

    private sealed record Found(IReadOnlyList<string> Names, bool More, Exception? Failure);
}
