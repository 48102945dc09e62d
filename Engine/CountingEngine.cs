using System.Runtime.CompilerServices;
using System.Text;
using Sketch.Accuracy;
using Sketch.Engine.Appends;
using Sketch.Engine.Audit;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Expiry;
using Sketch.Engine.Fold;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Engine.Reads;
using Sketch.Engine.Windows;
using Sketch.Sketches;

namespace Sketch.Engine;

/// <summary>
/// A node's counting: increments go into the log, live views follow it, checkpoints make them exact, reads see one consistent cut of both.
/// </summary>
public sealed partial class CountingEngine : ICounterReader, IAsyncDisposable
{
    private static readonly TimeSpan MarkAgainAfter = TimeSpan.FromMilliseconds(50);

    private readonly IIncrementLog _log;
    private readonly ICheckpointStore _store;
    private readonly TimeProvider _time;
    private readonly CounterCatalogue _catalogue;
    private readonly PendingAppends _pending;
    private readonly IncrementBatchPool _batches;
    private readonly LiveViews _views;
    private readonly CounterReads _reads;
    private readonly ColdReads _coldReads;
    private readonly Checkpointer _checkpointer;
    private readonly WindowMarker _marker;
    private readonly LogFollower _follower;
    private readonly AccuracyAudit _audit;
    private readonly CounterExpiry _expiry;
    private readonly EngineMeter _meter;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _work = Task.CompletedTask;
    private Task _expiring = Task.CompletedTask;
    private bool _disposed;

    internal CountingEngine(EngineParts parts)
    {
        _log = parts.Log;
        _store = parts.Store;
        _time = parts.Time;
        _catalogue = parts.Catalogue;
        _pending = parts.Pending;
        _views = parts.Views;
        _follower = parts.Follower;
        _checkpointer = parts.Checkpointer;
        _marker = parts.Marker;
        _reads = parts.Reads;
        _coldReads = parts.ColdReads;
        _audit = parts.Audit;
        _expiry = new CounterExpiry(_store, _log.Identity, _catalogue, AppendAsync, CheckpointAsync, parts.Options, _time, parts.Logger);
        _meter = new EngineMeter(this, _audit);
        _batches = new IncrementBatchPool(_catalogue);
    }

    /// <summary>Loads the last checkpoint, replays the log after it, and opens for increments.</summary>
    /// <param name="options">What the operator chose.</param>
    /// <param name="log">The log; the caller disposes it after the engine.</param>
    /// <param name="store">The store; the caller disposes it after the engine.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where notices go.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EngineStateException">Log, snapshot and store do not belong together, or one lost what the others build on.</exception>
    /// <exception cref="CheckpointStoreException">The store can't be reached.</exception>
    /// <exception cref="IOException">The log is damaged.</exception>
    public static Task<CountingEngine> OpenAsync(
        EngineOptions options,
        IIncrementLog log,
        ICheckpointStore store,
        TimeProvider time,
        Microsoft.Extensions.Logging.ILogger<CountingEngine> logger,
        CancellationToken cancellationToken) => EngineStart.OpenAsync(options, log, store, time, logger, cancellationToken);

    /// <summary>Completes with the failure when the engine can go no further (the log failed, or is damaged): the process should exit.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Figures for health pages.</summary>
    public EngineStatus Status
    {
        get
        {
            LiveView view = _views.View;
            DateTimeOffset now = _time.GetUtcNow();
            return new EngineStatus(
                _views.Increments,
                _follower.Rate.At(now),
                _follower.Position,
                view.ExactPosition,
                view.ExactAsOf(now),
                view.Windows.Length,
                _catalogue.Count,
                _catalogue.Counters.MemoryBytes,
                _checkpointer.Error)
            {
                HotCounters = _catalogue.Counters.Hot,
                DistinctBytes = _catalogue.Elements.ApproximateBytes,
                ExpiredCounters = _expiry.Expired,
                ExpiringCounters = _catalogue.Expiring.Count,
            };
        }
    }

    /// <summary>The namespaces, by name.</summary>
    public IReadOnlyList<NamespaceStatus> Namespaces =>
    [
        .. _catalogue.Namespaces
            .Select(n => new NamespaceStatus(n.State.Definition, n.Counters))
            .OrderBy(n => n.Definition.Name, StringComparer.Ordinal),
    ];

    /// <summary>Creates or changes a namespace; returns once that is fsynced. Null when done, else the refusal.</summary>
    /// <exception cref="EngineBusyException">Overload, a full disk, or the node is stopping.</exception>
    public async ValueTask<Rejection?> DefineNamespaceAsync(NamespaceDefinition definition, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (Definitions.Check(definition, _catalogue) is { } refused)
        {
            return refused;
        }

        if (_catalogue.Find(definition.Name)?.State.Definition != definition)
        {
            await AppendAsync(new DefinitionRecord(definition, null), cancellationToken).ConfigureAwait(false);
        }

        return null;
    }

    /// <summary>Creates or changes a counter; returns once that is fsynced. Null when done, else the refusal.</summary>
    /// <exception cref="EngineBusyException">Overload, a full disk, or the node is stopping.</exception>
    public async ValueTask<Rejection?> DefineCounterAsync(string @namespace, CounterDefinition definition, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (_catalogue.Find(@namespace) is not { } owner)
        {
            return CounterName.NoNamespace(@namespace);
        }

        ulong id = CounterId.Of(@namespace, definition.Name);
        if (Definitions.Check(definition, id, owner, _catalogue) is { } refused)
        {
            return refused;
        }

        byte[] name = Encoding.UTF8.GetBytes(definition.Name);
        NameEntry entry = _catalogue.Enter(id, owner, name);
        if (!entry.Is(owner.State.Index, name))
        {
            return CounterName.Taken(name);
        }

        DefinitionRecord record = new(null, new CounterRecord(@namespace, definition));
        return await AppendAsync(record, cancellationToken).ConfigureAwait(false)
            ? null
            // Another definition of the name, of another kind, was faster: it is there now, unless it was deleted meanwhile.
            : Definitions.Check(definition, id, owner, _catalogue) ?? throw new EngineBusyException(AppendStatus.Busy);
    }

    /// <summary>An empty batch for an existing namespace; null when there is no such namespace.</summary>
    public IncrementBatch? RentBatch(string @namespace) => _catalogue.Find(@namespace) is { } owner ? _batches.Rent(owner) : null;

    /// <summary>Counts a batch once, and returns when it is acknowledged as its strictest tier asks and the next read sees it.</summary>
    /// <param name="batch">From <see cref="RentBatch"/>; the caller still disposes it.</param>
    /// <param name="producer">Who sends, 1 to 64 bytes of UTF-8; null when retries need not be told apart.</param>
    /// <param name="sequence">The producer's number for this batch, from 1; 0 without a producer.</param>
    /// <param name="cancellationToken">Gives up before the batch is on its way to the log; later it has no effect.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<IncrementResult> CommitAsync(
        IncrementBatch batch, string? producer, long sequence, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        try
        {
            return await CountAsync(batch, producer, sequence, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            batch.ReleaseElements();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<IncrementResult> CountAsync(
        IncrementBatch batch, string? producer, long sequence, CancellationToken cancellationToken)
    {
        NamespaceEntry owner = batch.Owner;
        long weight = batch.Weight;
        if (Refusal(batch, producer, sequence) is { } refused)
        {
            return new IncrementResult(IncrementStatus.Rejected, Rejection: refused);
        }

        Durability durability = batch.IsStrong || owner.State.Definition.Durable ? Durability.Flushed : Durability.Written;
        PendingAppends.PendingAppend pending = _pending.Begin();
        LogRecord record = new(batch.RecordKind, Producer.Hash(producer), sequence, pending.Id, batch.Encode());
        Appended appended;
        try
        {
            appended = await _log.AppendAsync(record, durability, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _pending.Forget(pending);
            owner.Release(weight);
            throw;
        }

        if (appended.Status != AppendStatus.Appended)
        {
            _pending.Forget(pending);
            owner.Release(weight);
            return new IncrementResult(appended.Status switch
            {
                AppendStatus.Busy => IncrementStatus.Busy,
                AppendStatus.NoSpace => IncrementStatus.NoSpace,
                AppendStatus.Full => IncrementStatus.LogFull,
                _ => IncrementStatus.Unknown,
            });
        }

        FoldOutcome? outcome = await pending.Outcome.ConfigureAwait(false);
        if (outcome is { Verdict: SequenceVerdict.Fresh })
        {
            return new IncrementResult(IncrementStatus.Accepted, batch.Count, Duplicate: false, appended.Position);
        }

        owner.Release(weight);
        return outcome switch
        {
            null => new IncrementResult(IncrementStatus.Unknown),
            { Verdict: SequenceVerdict.OutOfDate } => new IncrementResult(IncrementStatus.Busy),
            { Verdict: SequenceVerdict.TooOld, Position: var newest } => new IncrementResult(IncrementStatus.SequenceTooOld, Position: newest),
            { Verdict: SequenceVerdict.Gap, Position: var newest } => new IncrementResult(IncrementStatus.SequenceGap, Position: newest),
            { Verdict: SequenceVerdict.Shared } => new IncrementResult(IncrementStatus.ProducerShared),
            { Position: var first } => new IncrementResult(IncrementStatus.Accepted, batch.Count, Duplicate: true, first),
        };
    }

    /// <summary>Closes the open window now and waits until everything counted before the call is stored exactly.</summary>
    public async Task CheckpointAsync(CancellationToken cancellationToken)
    {
        long target = _log.Range.Next - 1;
        while (true)
        {
            Task moved = _checkpointer.Moved;
            LiveView view = _views.View;
            if (view.Open.From <= target)
            {
                // Answered by the fold: from then on it has taken in all that came before, and the window is cut or was empty.
                PendingAppends.PendingAppend pending = _pending.Begin();
                Appended marked = await _marker.MarkAsync(view.Open.From, pending.Id, cancellationToken).ConfigureAwait(false);
                if (marked.Status is AppendStatus.Busy or AppendStatus.NoSpace or AppendStatus.Full)
                {
                    // Nothing was written, so nobody will answer. There may be room soon.
                    _pending.Forget(pending);
                    await Task.Delay(MarkAgainAfter, _time, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                await pending.Outcome.ConfigureAwait(false);
                view = _views.View;
            }

            if (!view.Windows.Any(w => w.From <= target && w.FirstTimeMs != 0))
            {
                return;
            }

            _checkpointer.Hurry();
            await Task.WhenAny(moved, Failed).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (Failed.IsCompleted)
            {
                await Failed.ConfigureAwait(false);
            }
        }
    }

    /// <summary>Exact increments of a counter per step of whole hours; see <see cref="ICheckpointStore.ReadHistoryAsync"/>.</summary>
    /// <exception cref="CheckpointStoreException">The store can't be reached.</exception>
    public ValueTask<IReadOnlyList<HistoryPoint>> HistoryAsync(
        string @namespace, string name, DateTimeOffset from, DateTimeOffset to, int stepHours, CancellationToken cancellationToken) =>
        _store.ReadHistoryAsync(@namespace, CounterId.Of(@namespace, name), from, to, stepHours, cancellationToken);

    /// <summary>Different elements of a counter per step of whole hours, oldest first, only steps that have any; null when it is not of the kind distinct.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="name">The counter.</param>
    /// <param name="from">Start of the first hour.</param>
    /// <param name="to">End, exclusive.</param>
    /// <param name="stepHours">Hours a point covers, 1 or more.</param>
    /// <param name="confidence">In (0.5, 1).</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CheckpointStoreException">The store can't be reached.</exception>
    public async ValueTask<IReadOnlyList<DistinctPoint>?> DistinctHistoryAsync(
        string @namespace, string name, DateTimeOffset from, DateTimeOffset to, int stepHours, double confidence, CancellationToken cancellationToken)
    {
        ulong id = CounterId.Of(@namespace, name);
        if (_catalogue.Defined(id) is not { Kind: CounterKind.Distinct } counter)
        {
            return null;
        }

        IReadOnlyList<SeenPoint> seen = await _store.ReadSeenAsync(@namespace, id, counter.Generation, from, to, stepHours, cancellationToken).ConfigureAwait(false);
        ulong keyId = _catalogue.Elements.Hasher.KeyId;
        return
        [
            .. seen.Select(s => new DistinctPoint(
                s.Start, DistinctEstimate.From(HyperLogLogSql.FromColumn(keyId, HyperLogLog.DefaultPrecision, s.Indexes, s.Ranks), confidence))),
        ];
    }

    /// <inheritdoc/>
    public bool HasNamespace(string @namespace) => _catalogue.Find(@namespace) is not null;

    /// <inheritdoc/>
    public IReadOnlyList<string> FindLabelled(string @namespace, IReadOnlyDictionary<string, string> labels, int limit) =>
    [
        .. _catalogue.Labels.Find((ushort)Existing(@namespace).State.Index, labels)
            .Select(id => _catalogue.Defined(id)?.Definition.Name).OfType<string>()
            .Order(Utf8Order.Instance)
            .Take(limit),
    ];

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<string>> FindAsync(
        string @namespace, string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        // Names of open windows first: a window that is stored meanwhile is then found in the store as well, never in neither.
        int index = Existing(@namespace).State.Index;
        List<string> recent = [.. _views.View.Windows.SelectMany(w => w.NamesOf(index)).Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && !IsRemoved(@namespace, n))];
        IReadOnlyList<string> stored = await FindStoredAsync(@namespace, prefix, after, limit, cancellationToken).ConfigureAwait(false);
        return
        [
            .. recent.Where(n => after is null || Utf8Order.Instance.Compare(n, after) > 0)
                .Concat(stored)
                .Distinct(StringComparer.Ordinal)
                .Order(Utf8Order.Instance)
                .Take(limit),
        ];
    }

    /// <summary>Stops following the log and checkpointing. What was acknowledged is in the log.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        _meter.Dispose();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _pending.Stop();
        await _expiring.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it may have waited for one of those
        _coldReads.Dispose();
        _checkpointer.Dispose();
        _expiry.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Begins the work in the background; once, by whoever opens the engine.</summary>
    internal void Start(Task following)
    {
        CancellationToken stopping = _stopping.Token;
        _work = Task.WhenAll(
            Watch(following),
            Watch(Task.Run(() => _checkpointer.RunAsync(stopping), CancellationToken.None)),
            Watch(Task.Run(() => _marker.RunAsync(stopping), CancellationToken.None)),
            Watch(_log.Failed.WaitAsync(stopping)));
        _expiring = Watch(Task.Run(() => _expiry.RunAsync(stopping), CancellationToken.None));
    }

    internal CancellationToken Stopping => _stopping.Token;

    /// <summary>Deletes idle counters now; it is done every hour anyway.</summary>
    internal Task ExpireAsync(CancellationToken cancellationToken) => _expiry.ExpireAsync(cancellationToken);

    private async Task Watch(Task work)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
#pragma warning disable CA1031 // Whatever ends the engine's work, the node must hear of it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _pending.Stop();
            _failed.TrySetException(e);
        }
    }

    private Rejection? Refusal(IncrementBatch batch, string? producer, long sequence)
    {
        if (batch.Count == 0)
        {
            return new Rejection(RejectionReason.Invalid, "increments", "empty", $"1 to {EngineLimits.MaxBatchIncrements} increments");
        }

        if (Producer.Check(producer, sequence) is { } badProducer)
        {
            return badProducer;
        }

        if ((batch.ReserveElements() ?? CheckItems(batch)) is { } full)
        {
            return full;
        }

        if (!batch.Owner.TryAdmit(batch.Weight))
        {
            return new Rejection(
                RejectionReason.QuotaExceeded, "delta", $"a sum of {batch.Weight}", "what keeps the sizes of all deltas in the namespace below 2^62, so that no total overflows");
        }

        // Last, since names that were entered stay: a batch that is refused for anything else takes none of the quota.
        if (batch.EnterNames() is { } badName)
        {
            batch.Owner.Release(batch.Weight);
            return badName;
        }

        return null;
    }

    private NamespaceEntry Existing(string @namespace) =>
        _catalogue.Find(@namespace) ?? throw new ArgumentException($"There is no namespace '{@namespace}'.", nameof(@namespace));

    /// <summary>False when the fold did not take it: something else came first.</summary>
    private async ValueTask<bool> AppendAsync(DefinitionRecord definition, CancellationToken cancellationToken) =>
        (await AppendAsync(RecordKind.Definition, definition.ToBytes(), cancellationToken).ConfigureAwait(false)).Verdict == SequenceVerdict.Fresh;

    private async ValueTask<FoldOutcome> AppendAsync(RecordKind kind, byte[] payload, CancellationToken cancellationToken)
    {
        PendingAppends.PendingAppend pending = _pending.Begin();
        LogRecord record = new(kind, UInt128.Zero, 0, pending.Id, payload);
        Appended appended;
        try
        {
            appended = await _log.AppendAsync(record, Durability.Flushed, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _pending.Forget(pending);
            throw;
        }

        if (appended.Status != AppendStatus.Appended)
        {
            _pending.Forget(pending);
            throw new EngineBusyException(appended.Status);
        }

        return await pending.Outcome.ConfigureAwait(false) is { } outcome
            ? outcome
            : throw new EngineBusyException(AppendStatus.Unknown);
    }
}
