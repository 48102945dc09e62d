namespace Sketch.Realtime.Broadcast;

/// <summary>What a subscription watches and what it was last told. Touched by the broadcaster's loop alone.</summary>
internal abstract class SubscriptionView(ReadGroup group, long number)
{
    private long _number = number;
    private long _seenRound = -1;
    private long _sentTick;
    private long _skipped;

    public ReadGroup Group => group;

    /// <summary>True while a counter that it watches is brought into memory.</summary>
    public virtual bool IsWarming => false;

    public bool HasSnapshot => _seenRound >= 0;

    protected virtual bool Truncated => false;

    /// <summary>True when what changed since <see cref="SeenRound"/> is no longer known.</summary>
    protected virtual bool IsStale => false;

    /// <summary>The round of the frame before this one; -1 when the frame is to hold everything.</summary>
    protected long SeenRound => _seenRound;

    /// <summary>Puts what it watches on the group's list to read.</summary>
    public abstract void Queue(long round);

    /// <summary>Gives its counters back.</summary>
    public abstract void Release();

    /// <summary>The frame for this round; null when there is nothing to tell.</summary>
    public CounterFrame? Compose(int subscription, long round, long tick, long missed, DateTime asOf, long heartbeatTicks)
    {
        _skipped += missed;
        if (IsStale)
            _seenRound = -1;
        bool snapshot = !HasSnapshot;
        var values = group.Collected;
        values.Clear();
        List<string>? removed = null;
        Collect(values, ref removed);
        _seenRound = round;
        if (!snapshot && values.Count == 0 && removed is null && tick - _sentTick < heartbeatTicks)
            return null;
        var frame = new CounterFrame
        {
            Subscription = subscription,
            Number = ++_number,
            AsOf = asOf,
            Skipped = _skipped,
            Snapshot = snapshot,
            Values = values.ToArray(),
            Removed = removed,
            Truncated = Truncated,
        };
        _sentTick = tick;
        _skipped = 0;
        return frame;
    }

    protected abstract void Collect(List<LiveValue> values, ref List<string>? removed);

    protected void Collect(WatchedCounter counter, List<LiveValue> values, ref List<string>? removed)
    {
        if (counter.Current is not null)
            values.Add(counter.Current);
        else if (SeenRound >= 0)
            (removed ??= []).Add(counter.Name);
    }
}

internal sealed class NamesView : SubscriptionView
{
    private readonly WatchedCounter[] _counters;

    public NamesView(ReadGroup group, IReadOnlyList<string> names, long number)
        : base(group, number) => _counters = [.. names.Select(group.Hold)];

    public override bool IsWarming => Array.Exists(_counters, counter => counter.IsWarming);

    public override void Queue(long round)
    {
        foreach (var counter in _counters)
            Group.Queue(counter, round);
    }

    public override void Release() => Array.ForEach(_counters, Group.Release);

    protected override void Collect(List<LiveValue> values, ref List<string>? removed)
    {
        foreach (var counter in _counters)
        {
            if (SeenRound < 0 || counter.ChangedRound > SeenRound)
                Collect(counter, values, ref removed);
        }
    }
}

internal sealed class FoundView(ReadGroup group, FoundNames names, long number) : SubscriptionView(group, number)
{
    public FoundNames Names => names;

    protected override bool Truncated => names.Truncated;

    protected override bool IsStale => SeenRound >= 0 && names.ForgottenRound > SeenRound;

    public override bool IsWarming => names.Members.Any(member => member.Counter.IsWarming);

    public override void Queue(long round)
    {
        foreach (var member in names.Members)
            Group.Queue(member.Counter, round);
    }

    public override void Release() => Group.ReleaseFound(names);

    protected override void Collect(List<LiveValue> values, ref List<string>? removed)
    {
        foreach (var (counter, joinedRound) in names.Members)
        {
            if (SeenRound < 0 || joinedRound > SeenRound || counter.ChangedRound > SeenRound)
                Collect(counter, values, ref removed);
        }

        if (SeenRound < 0)
            return;
        foreach (var (name, leftRound) in names.Left)
        {
            if (leftRound > SeenRound && !names.IsMember(name))
                (removed ??= []).Add(name);
        }
    }
}

internal sealed class TopView : SubscriptionView
{
    private readonly HashSet<string> _shown = new(StringComparer.Ordinal);
    private readonly int _k;

    public TopView(ReadGroup group, int k, long number)
        : base(group, number)
    {
        _k = k;
        group.HoldTop(k);
    }

    public override void Queue(long round) => Group.QueueTop();

    public override void Release() => Group.ReleaseTop(_k);

    protected override void Collect(List<LiveValue> values, ref List<string>? removed)
    {
        foreach (string name in _shown)
        {
            if (!Group.IsAmongHeaviest(name, _k))
                (removed ??= []).Add(name);
        }

        if (removed is not null)
            _shown.ExceptWith(removed);
        foreach (var counter in Group.Ranking.Take(_k))
        {
            if (_shown.Add(counter.Name) || counter.ChangedRound > SeenRound)
                values.Add(counter.Current!);
        }
    }
}
