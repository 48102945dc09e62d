using System.IO.Hashing;
using System.Text;
using Sketch.Engine.Log;
using Sketch.Tests.Simulation.Bugs;

namespace Sketch.Tests.Simulation.World;

/// <summary>The node across its lives: the device, store and time that stay, and the process that comes and goes.</summary>
internal sealed class Node
{
    private const int MostTurns = 5_000;

    private readonly Random _random;
    private readonly Bug _bug;
    private readonly Ledger _ledger;
    private readonly Coverage _coverage;
    private readonly Action<string>? _trace;
    private readonly SimulatedTime _time = new();
    private readonly Device _device = new();
    private readonly XxHash3 _events = new();
    private readonly ulong _incarnation;
    private bool _losePowerAtDeath;
    private string? _reported;
    private LogCut? _cutSeen;

    public Node(Random random, Bug bug, Ledger ledger, Coverage coverage, Action<string>? trace)
    {
        _random = random;
        _bug = bug;
        _ledger = ledger;
        _coverage = coverage;
        _trace = trace;
        _incarnation = (ulong)random.NextInt64(1, long.MaxValue);
        Store = new SimulatedStore(new SimulatedTime.Clock(_time), random) { Met = mood => Hit(mood) };
        IsTight = random.Next(2) == 0;
        PutSecret();
        Process = Start();
    }

    public NodeProcess Process { get; private set; }

    public Device Device => _device;

    public SimulatedStore Store { get; }

    /// <summary>Batches that have no answer yet.</summary>
    public int Underway { get; set; }

    /// <summary>Durable bytes were changed, and the node said so and stopped: that is all it can do.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>A bit of durable bytes was flipped.</summary>
    public bool IsFlipped { get; set; }

    /// <summary>The process was made to fail.</summary>
    public bool MayFail { get; set; }

    public ulong Fingerprint => _events.GetCurrentHashAsUInt64();

    /// <summary>Whether totals leave memory whenever they may.</summary>
    public bool IsTight { get; }

    public bool IsOpen => Process is { IsOpen: true, IsGone: false };

    /// <summary>What the node is at, for the coverage of faults.</summary>
    public string State =>
        !IsOpen ? "opening"
        : _device.Names.Keys.Any(path => path.EndsWith("snapshot.new", StringComparison.Ordinal)) ? "snapshot"
        : Store.Underway > 0 ? "storing"
        : Underway > 0 ? "appending"
        : "idle";

    public void Trace(string what)
    {
        _trace?.Invoke(what);
        _events.Append(Encoding.UTF8.GetBytes(what));
    }

    /// <summary>Notes a broken promise; the next check ends the history with it.</summary>
    public void Report(string what) => _reported ??= what;

    public void Advance(TimeSpan by) => _time.Advance(by);

    public void StepWorker()
    {
        if (Process.Workers.StepOne() is { } name)
        {
            Trace($"{name} to {Process.Log?.Range.Next}, durable {Process.Durable}");
        }
    }

    /// <summary>Lets everything run that can without time passing.</summary>
    public async Task SettleAsync()
    {
        do
        {
            await Pool.Settle();
            StepWorker();
        }
        while (!Process.Workers.IsIdle);

        await Pool.Settle();
    }

    /// <summary>The process may end in the middle of the next calls to the disk.</summary>
    public void DieSoon(int calls, bool losePower)
    {
        _losePowerAtDeath = losePower;
        Process.Disk.DieIn = calls;
    }

    /// <summary>Ends the process and starts another one.</summary>
    public void Restart(bool losePower, bool flipBits = false)
    {
        Trace($"restart, power lost {losePower}");
        long durable = Process.Durable;
        Process.Kill();
        Process.Dispose();
        if (losePower)
        {
            _device.LosePower(_random, flipBits);
        }

        Underway = 0;
        foreach (Sent sent in _ledger.Batches)
        {
            sent.IsDoubtful |= sent.Underway > 0;
            sent.Underway = 0;

            // Its acknowledgement promised no more; the producer sends it again.
            if ((losePower || MayFail) && sent is { State: SentState.Acknowledged, SurvivesPower: false } && sent.Position >= durable)
            {
                sent.IsDoubtful = true;
                _ledger.Move(sent, SentState.Unknown);
            }
        }

        Process = Start();
    }

    /// <summary>Looks after the process, as a supervisor does, and at what the store noticed.</summary>
    public void Check()
    {
        if ((_reported ?? Store.Violation) is { } wrong)
        {
            throw new Violation(wrong);
        }

        if (Process.Log?.Cut is { } cut && _cutSeen != cut)
        {
            _cutSeen = cut;
            Trace($"the log was cut: {cut}");
        }

        if (Process.Disk.Dead)
        {
            bool losePower = _losePowerAtDeath;
            Restart(losePower, flipBits: losePower && _random.Next(4) == 0);
        }
        else if (Process.Failure is { } failure)
        {
            if (IsFlipped && failure is LogCorruptException or InvalidDataException)
            {
                Trace("damage found: " + failure.GetType().Name);
                IsDamaged = true;
            }
            else if (MayFail || (!Process.IsOpen && failure is Sketch.Engine.Checkpoints.CheckpointStoreException or LogDiskException { Fault: DiskFault.NoSpace }))
            {
                Restart(losePower: false);
            }
            else
            {
                throw new Violation($"the node failed although nothing had been done to it: {failure}");
            }
        }
    }

    public async Task CloseAsync()
    {
        Task closing = Process.CloseAsync();
        NodeProcess process = Process;
        await UntilAsync(() => closing.IsCompleted || Process != process, "closing");
        if (Process == process)
        {
            Restart(losePower: false);
        }
    }

    /// <summary>Nothing goes wrong any more.</summary>
    public async Task HealAsync()
    {
        Trace("peace");
        Process.Disk.DieIn = null;
        Process.Disk.StopFailing();
        _device.Free = Device.Plenty;
        Store.Away = false;
        Store.Mood = StoreMood.Well;
        await UntilAsync(() => IsDamaged || (IsOpen && Process.Failure is null), "opening");
    }

    public Task CheckpointAsync() => InPeaceAsync(engine => engine.CheckpointAsync(CancellationToken.None), "a checkpoint");

    /// <summary>From here on no counter is deleted.</summary>
    public Task EndExpiryAsync()
    {
        Store.LivesOn = true;
        return InPeaceAsync(engine => engine.ExpireAsync(CancellationToken.None), "the last run of expiry"); // after any that runs now
    }

    private async Task InPeaceAsync(Func<Sketch.Engine.CountingEngine, Task> act, string what)
    {
        // What failed just before peace may show only now.
        for (int attempt = 0; attempt < 5; attempt++)
        {
            await HealAsync();
            NodeProcess process = Process;
            Task acting = act(process.Engine!);
            await UntilAsync(() => acting.IsCompleted || Process != process, what);
            if (acting.IsCompletedSuccessfully && Process == process)
            {
                return;
            }
        }

        throw new Violation($"{what} did not come about");
    }

    /// <summary>Lets time pass in peace until something is so.</summary>
    public async Task UntilAsync(Func<bool> condition, string what)
    {
        for (int turn = 0; !condition(); turn++)
        {
            if (turn == MostTurns)
            {
                throw new Violation($"{what} did not end: the node is stuck");
            }

            await SettleAsync();
            Check();
            _time.Advance(TimeSpan.FromMilliseconds(Math.Min(1 + turn, 1_000)));
        }
    }

    /// <summary>In peace: reads, through the store where it must be.</summary>
    public async Task<IReadOnlyList<Sketch.Engine.Reads.CounterValue?>> ReadAsync(string @namespace, string[] names, double confidence)
    {
        Task<IReadOnlyList<Sketch.Engine.Reads.CounterValue?>> reading =
            Process.Engine!.ReadAsync(@namespace, names, confidence, CancellationToken.None).AsTask();
        await UntilAsync(() => reading.IsCompleted, "a read");
        return await reading;
    }

    private NodeProcess Start()
    {
        MayFail = false;
        _losePowerAtDeath = false;
        SimulatedDisk disk = new(_device, _random)
        {
            Died = (call, path) => _coverage.Hit(_losePowerAtDeath ? Fault.PowerLostInDiskCall : Fault.KilledInDiskCall, $"{State}: {call} {Kind(path)}"),
            Failed = (call, path) =>
            {
                if (call == "full")
                {
                    _coverage.Hit(Fault.DiskFull, $"{State}: {path}");
                    return;
                }

                MayFail = true;
                _coverage.Hit(
                    call == "pwrite" ? Fault.WriteFailed : call == "fdatasync" ? Fault.SyncFailed : Fault.OtherCallFailed, $"{State}: {call} {Kind(path)}");
            },
        };
        return new NodeProcess(disk, new SimulatedTime.Clock(_time) { Skew = Process?.Clock.Skew ?? TimeSpan.Zero }, Store, _bug, _incarnation, IsTight, _random);
    }

    private static string Kind(string path) => path.Contains(".seg", StringComparison.Ordinal) ? path[path.IndexOf(".seg", StringComparison.Ordinal)..] : Path.GetFileName(path);

    private void Hit(StoreMood mood)
    {
        Fault? fault = mood switch
        {
            StoreMood.Refuses => Fault.StoreRefused,
            StoreMood.AppliesAndLosesTheAnswer => Fault.StoreAppliedAndLostAnswer,
            StoreMood.Hangs => Fault.StoreHung,
            StoreMood.HangsAndAppliesLate => Fault.StoreAppliedLate,
            _ => null,
        };
        if (fault is { } met)
        {
            _coverage.Hit(met, State);
        }
    }

    // Drawn by the seed instead of by the engine, so that sketches are the same in every run.
    private void PutSecret()
    {
        byte[] secret = new byte[32];
        _random.NextBytes(secret);
        Inode inode = new();
        inode.Write(secret, 0);
        inode.Sync();
        _device.Change(names => names[Path.Combine(NodeProcess.Folder, "engine", "secret")] = inode);
        _device.SyncNames();
    }
}
