using Microsoft.Extensions.Logging.Abstractions;
using Sketch.Engine;
using Sketch.Engine.Checkpoints;
using Sketch.Engine.Increments;
using Sketch.Engine.Log;
using Sketch.Tests.Simulation.Bugs;

namespace Sketch.Tests.Simulation.World;

/// <summary>One life of the node: the real log and engine over this world's disk, clock and store. It ends when it is killed, closed, or a fault ends it.</summary>
internal sealed class NodeProcess : IDisposable
{
    public const string Folder = "/data";

    /// <summary>For how long a counter of the namespace fading stays that nobody increments.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _life = new();
    private readonly Bug _bug;
    private readonly SimulatedStore _store;
    private readonly Task _opening;

    public NodeProcess(SimulatedDisk disk, SimulatedTime.Clock clock, SimulatedStore store, Bug bug, ulong incarnation, bool isTight, Random random)
    {
        Disk = disk;
        Clock = clock;
        _store = store;
        _bug = bug;
        Workers = new SteppedWorkers(random, clock);
        _opening = OpenAsync(incarnation, isTight, random);
    }

    public SimulatedDisk Disk { get; }

    public SimulatedTime.Clock Clock { get; }

    public SteppedWorkers Workers { get; }

    public EmbeddedLog? Log { get; private set; }

    public CountingEngine? Engine { get; private set; }

    public bool IsOpen => Engine is not null;

    /// <summary>Killed or closed: what still comes from it reaches nobody.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Why it could not open, or can go no further.</summary>
    public Exception? Failure =>
        _opening.Exception?.InnerException ?? (Log?.Failed.IsCompleted == true ? Log.Failed.Exception?.InnerException : null)
        ?? (Engine?.Failed.IsCompleted == true ? Engine.Failed.Exception?.InnerException : null);

    /// <summary>Up to here the log would survive a loss of power.</summary>
    public long Durable { get; private set; } = 1;

    /// <summary>Ends it at once.</summary>
    public void Kill()
    {
        IsGone = true;
        Disk.Dead = true;
        Clock.Stopped = true;
        _life.Cancel();

        // Its instruments are known to the whole test process; nothing else of this has an effect any more.
        _ = Engine?.DisposeAsync().AsTask();
    }

    public void Dispose() => _life.Dispose();

    /// <summary>Closes it in order.</summary>
    public async Task CloseAsync()
    {
        if (Engine is not null)
        {
            await Engine.DisposeAsync();
        }

        if (Log is not null)
        {
            await Log.DisposeAsync();
        }
    }

    public Task<IncrementResult> CommitAsync(Sent sent)
    {
        return _bug.CommitAsync(sent, Send);

        async Task<IncrementResult> Send()
        {
            using IncrementBatch? batch = Engine!.RentBatch(sent.Namespace);
            if (batch is null)
            {
                return new IncrementResult(IncrementStatus.Busy);
            }

            foreach ((string name, long delta) in sent.Increments)
            {
                if (batch.Add(System.Text.Encoding.UTF8.GetBytes(name), delta) is { } rejection)
                {
                    return new IncrementResult(IncrementStatus.Rejected, Rejection: rejection);
                }
            }

            return await Engine!.CommitAsync(batch, sent.Producer, sent.Sequence, CancellationToken.None);
        }
    }

    private async Task OpenAsync(ulong incarnation, bool isTight, Random random)
    {
        ILogDisk disk = _bug.Wrap(Disk);
        Log = await EmbeddedLog.OpenAsync(
            new EmbeddedLogOptions
            {
                Folder = Path.Combine(Folder, "log"),
                SegmentBytes = 8 << 10,
                NewIncarnation = incarnation,
                Disk = disk,
                Workers = Workers,
                MaxQueuedRecords = 24,
            },
            Clock,
            CancellationToken.None);
        Durable = Log.Range.Next;
        Disk.SegmentSynced = () => Durable = Log.Range.Next;
        ICheckpointStore store = _bug.Wrap(new StoreConnection(_store, _life.Token) { Once = _bug.StoresOnce }, Log);
        Engine = await CountingEngine.OpenAsync(
            new EngineOptions
            {
                DataFolder = Folder,
                SketchMemoryBytes = 4 << 10,
                WindowSeconds = 1,
                CheckpointEverySeconds = 1,
                Disk = disk,

                // Tight: totals leave memory whenever they may, or as soon as a flood comes, and readers ask the store.
                TotalsMemoryBytes = isTight ? random.Next(2) * 2_400 : 1 << 20,
                HeaviestKept = isTight ? 2 : 1_024,
                AddedAtOnce = isTight ? 20 : long.MaxValue / 2, // each look waits for a sync: some lives go without
                ExpireEvery = TimeSpan.FromMilliseconds(700),
                Lifetime = definition => definition.Name == Clients.Fading && !_store.LivesOn ? Lifetime : TimeSpan.MaxValue,
            },
            _bug.Wrap(Log, Clock),
            store,
            Clock,
            NullLogger<CountingEngine>.Instance,
            _life.Token);
    }
}
