using Sketch.Engine.Reads;

namespace Sketch.Realtime.Broadcast;

/// <summary>
/// The counters that a query matches, shared by all who subscribed to it. Names are looked up beside the loop, which never waits for them;
/// the loop takes what was found at its next round.
/// </summary>
internal sealed class FoundNames(ReadGroup group, NameQuery query)
{
    /// <summary>New names show up within this time, where the subscription has room for them.</summary>
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RefreshTruncatedEvery = TimeSpan.FromSeconds(10);

    private readonly List<Member> _members = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Queue<Leaver> _left = new();
    private long? _refreshedAt;
    private bool _refreshing;
    private Found? _found;

    /// <summary>A counter, and the round in which the query first matched it.</summary>
    public readonly record struct Member(WatchedCounter Counter, long JoinedRound);

    /// <summary>A name that the query matches no longer, and the round in which that was found.</summary>
    public readonly record struct Leaver(string Name, long LeftRound);

    public NameQuery Query => query;

    public int References { get; set; }

    /// <summary>False until the first look-up is done.</summary>
    public bool IsLoaded { get; private set; }

    /// <summary>More names match than a subscription may hold.</summary>
    public bool Truncated { get; private set; }

    public IReadOnlyList<Member> Members => _members;

    /// <summary>Who left lately.</summary>
    public IReadOnlyCollection<Leaver> Left => _left;

    /// <summary>Who left up to this round is forgotten: a subscriber that has not heard of it needs all values anew.</summary>
    public long ForgottenRound { get; private set; } = -1;

    /// <summary>The round in which a look-up failed last.</summary>
    public long FailedRound { get; private set; } = -1;

    public bool IsMember(string name) => _known.Contains(name);

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

        var names = found.Names.ToHashSet(StringComparer.Ordinal);
        _members.RemoveAll(member => !names.Contains(member.Counter.Name) && Leave(member.Counter, round));
        foreach (string name in found.Names)
        {
            if (_known.Add(name))
                _members.Add(new Member(group.Hold(name), round));
        }

        Truncated = found.More;
        IsLoaded = true;
        return null;
    }

    /// <summary>Starts a look-up when the last one is old enough; <paramref name="wake"/> is called when there is something to adopt.</summary>
    public void RefreshIfOld(ICounterReader reader, TimeProvider time, Action wake, CancellationToken stopping)
    {
        if (_refreshing || (_refreshedAt is { } at && time.GetElapsedTime(at) < (Truncated ? RefreshTruncatedEvery : RefreshEvery)))
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

    private bool Leave(WatchedCounter counter, long round)
    {
        if (_left.Count == RealtimeLimits.MaxNames)
            ForgottenRound = _left.Dequeue().LeftRound;
        _left.Enqueue(new Leaver(counter.Name, round));
        _known.Remove(counter.Name);
        group.Release(counter);
        return true;
    }

    private async Task<Found> FindAsync(ICounterReader reader, CancellationToken stopping)
    {
        try
        {
            var (names, more) = await query.FindAsync(reader, group.Namespace, stopping);
            return new Found(names, more, null);
        }
#pragma warning disable CA1031 // Whatever went wrong belongs to the subscribers of this query, who are told; the loop goes on.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return new Found([], false, failure);
        }
    }

    private sealed record Found(IReadOnlyList<string> Names, bool More, Exception? Failure);
}
