using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sketch.Engine.Reads;

namespace Sketch.Realtime.Broadcast;

/// <summary>
/// One loop reads the watched values, at most once a tick, and hands frames to the subscriptions that are due and ready. It waits for no
/// receiver; whoever is not ready gets the newest values at the first tick after it is.
/// </summary>
internal sealed partial class Broadcaster(
    ICounterReader reader, TimeProvider time, IOptions<RealtimeOptions> options, ILogger<Broadcaster> log) : BackgroundService
{
    /// <summary>Counters read at once at least, if so many are due.</summary>
    private const int MaxCountersAtOnce = 2_048;

    // A multiple of all usual intervals in ticks, so that turns are spread evenly.
    private const uint PhaseCount = 1_200;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(RealtimeLimits.MinIntervalMs);

    private readonly ConcurrentQueue<Subscription> _arrivals = new();

    // Holds at most one "look again": a bell, not a queue.
    private readonly Channel<bool> _bell = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private readonly Dictionary<(string Namespace, double Confidence), ReadGroup> _groups = [];
    private readonly List<Subscription> _subscriptions = [];
    private readonly List<Subscription> _due = [];
    private readonly HashSet<ReadGroup> _failed = [];
    private DateTime _asOf;
    private readonly long _start = time.GetTimestamp();
    private long _round;
    private long _servedTick = -1;
    private int _phase = -1;
    private int _count;
    private int _groupCount;
    private long _watched;
    private ITimer? _timer;
    private readonly ItemReader _items = new(reader, time);
    private WarmUps? _warmUps;

    /// <summary>Each connection has its own, so that all its subscriptions are served at the same moments, and those of others at others.</summary>
    public int NextPhase() => (int)((uint)Interlocked.Increment(ref _phase) % PhaseCount);

    /// <summary>Subscriptions of all connections.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The tick that was served last, counted from when this was made.</summary>
    public long ServedTick => Volatile.Read(ref _servedTick);

    /// <summary>What the open subscriptions may hold together.</summary>
    public long WatchedCounters => Interlocked.Read(ref _watched);

    /// <summary>Sets of counters that are read together.</summary>
    public int Groups => Volatile.Read(ref _groupCount);

    /// <summary>Admits a subscription, or says which limit of the node is reached.</summary>
    public SubscriptionRefusedException? TryAdd(Subscription subscription)
    {
        var limits = options.Value;
        if (Interlocked.Increment(ref _count) > limits.MaxSubscriptions)
        {
            Interlocked.Decrement(ref _count);
            return SubscriptionRefusedException.Full($"This node holds {limits.MaxSubscriptions} subscriptions", nameof(limits.MaxSubscriptions));
        }

        int capacity = subscription.Selection.Capacity;
        if (Interlocked.Add(ref _watched, capacity) > limits.MaxWatchedCounters)
        {
            Interlocked.Add(ref _watched, -capacity);
            Interlocked.Decrement(ref _count);
            return SubscriptionRefusedException.Full(
                $"This node's subscriptions watch {limits.MaxWatchedCounters} counters", nameof(limits.MaxWatchedCounters));
        }

        _arrivals.Enqueue(subscription);
        Ring();
        return null;
    }

    public void Remove(Subscription subscription)
    {
        if (!subscription.Close())
            return;
        Interlocked.Decrement(ref _count);
        Interlocked.Add(ref _watched, -subscription.Selection.Capacity);
        Ring();
    }

    public override void Dispose()
    {
        _timer?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _timer = time.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        while (await _bell.Reader.WaitToReadAsync(stoppingToken))
        {
            _bell.Reader.TryRead(out _);
            DropClosed();
            AdmitArrivals();
            long tick = Serve(stoppingToken);
            if (_subscriptions.Count > 0)
                _timer.Change(UntilNextTick(), Timeout.InfiniteTimeSpan);
            Volatile.Write(ref _groupCount, _groups.Count);
            Volatile.Write(ref _servedTick, tick);
        }
    }

    private TimeSpan UntilNextTick()
    {
        long rest = Tick.Ticks - (time.GetElapsedTime(_start).Ticks % Tick.Ticks);
        return TimeSpan.FromMilliseconds(Math.Ceiling(rest / (double)TimeSpan.TicksPerMillisecond));
    }

    private void Ring() => _bell.Writer.TryWrite(true);

    private void DropClosed() => _subscriptions.RemoveAll(subscription =>
    {
        if (!subscription.IsClosed)
            return false;
        var view = subscription.View!;
        view.Release();
        if (--view.Group.Subscriptions == 0)
            _groups.Remove((view.Group.Namespace, view.Group.Confidence));
        return true;
    });

    private void AdmitArrivals()
    {
        while (_arrivals.TryDequeue(out var subscription))
        {
            if (subscription.IsClosed)
                continue;
            var selection = subscription.Selection;
            var key = (selection.Namespace, selection.Confidence);
            if (!_groups.TryGetValue(key, out var group))
            {
                if (_groups.Count >= options.Value.MaxReadGroups)
                {
                    subscription.Fail(SubscriptionRefusedException.Full(
                        $"This node watches {_groups.Count} pairs of namespace and confidence", nameof(RealtimeOptions.MaxReadGroups)));
                    continue;
                }

                _groups.Add(key, group = new ReadGroup(selection.Namespace, selection.Confidence, _items, _warmUps ??= new WarmUps(reader, time, Ring)));
            }

            group.Subscriptions++;
            long number = selection.Resume?.Number ?? 0;
            subscription.View = selection switch
            {
                { Names: { } names } => new NamesView(group, names, number),
                { Query: { } query } => new FoundView(group, group.HoldFound(query), number),
                _ => new TopView(group, selection.Top, number),
            };
            _subscriptions.Add(subscription);
        }
    }

    private long Serve(CancellationToken stopping)
    {
        long tick = time.GetElapsedTime(_start).Ticks / Tick.Ticks;
        _round++;
        foreach (var subscription in _subscriptions)
        {
            var view = subscription.View!;
            if (subscription.DueTick > tick || !subscription.IsReady)
                continue;
            if (view is FoundView found && !TryLoad(subscription, found.Names, _round, stopping))
                continue;
            view.Queue(_round);
            _due.Add(subscription);
            if (view.Group.DueCount >= MaxCountersAtOnce)
                ServeDue(tick);
        }

        ServeDue(tick);
        return tick;
    }

    // All counters of a group that are due are read at once, as of one position, which makes the engine wait: so there are not too many of them.
    private void ServeDue(long tick)
    {
        foreach (var group in _groups.Values)
        {
            if (group.IsDue && !TryRead(group, _round))
                _failed.Add(group);
        }

        foreach (var subscription in _due)
        {
            var group = subscription.View!.Group;
            if (_failed.Contains(group))
            {
                Refuse(subscription);
                continue;
            }

            // A clock that is set back stands still for a while here: frames never go back in time.
            _asOf = group.AsOf > _asOf ? group.AsOf : _asOf;
            Tell(subscription, _round, tick, _asOf);
        }

        _due.Clear();
        _failed.Clear();
        _round++;
    }

    private bool TryLoad(Subscription subscription, FoundNames names, long round, CancellationToken stopping)
    {
        if (names.Adopt(round) is { } failure)
            LogReadFailed(failure, subscription.Selection.Namespace);
        if (names.FailedRound == round)
            Refuse(subscription);
        else
            names.RefreshIfOld(reader, time, Ring, stopping);
        return names.IsLoaded;
    }

    private bool TryRead(ReadGroup group, long round)
    {
        try
        {
            group.Read(reader, round);
            group.IsFailing = false;
            return true;
        }
#pragma warning disable CA1031 // One namespace that cannot be read must not silence the others; it is logged, and tried again next tick.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            if (!group.IsFailing)
                LogReadFailed(failure, group.Namespace);
            group.IsFailing = true;
            return false;
        }
    }

    private static void Refuse(Subscription subscription)
    {
        if (!subscription.View!.HasSnapshot)
            subscription.Fail(SubscriptionRefusedException.NotNow());
    }

    private static void Tell(Subscription subscription, long round, long tick, DateTime asOf)
    {
        long every = subscription.EveryTicks;
        long turn = (tick + every - subscription.Phase) / every;
        var view = subscription.View!;

        // Its counters are on their way, and the bell rings when they are there.
        if (!view.HasSnapshot && view.IsWarming)
            return;
        long missed = view.HasSnapshot
            ? turn - ((subscription.DueTick + every - subscription.Phase) / every)
            : Missed(subscription.Selection, asOf);

        // Everyone with the same interval and phase is due at the same ticks: one reading serves them all.
        subscription.DueTick = (turn * every) + subscription.Phase;
        long heartbeat = Math.Max(every, RealtimeLimits.HeartbeatMs / RealtimeLimits.MinIntervalMs);
        var frame = view.Compose(subscription.Id, round, tick, missed, asOf, heartbeat);
        if (frame is not null)
            subscription.Deliver(frame);
    }

    // What a subscriber that comes back was not there for.
    private static long Missed(Selection selection, DateTime asOf) => selection.Resume is { } last
        ? Math.Max(0, ((long)(asOf - last.AsOf.ToUniversalTime()).TotalMilliseconds / selection.IntervalMs) - 1)
        : 0;

    [LoggerMessage(1, LogLevel.Error, "Watched values of namespace {Namespace} could not be read; trying again at the next tick.")]
    private partial void LogReadFailed(Exception failure, string @namespace);
}
