using Sketch.Tests.Simulation.Bugs;
using Sketch.Tests.Simulation.World;

namespace Sketch.Tests.Simulation;

/// <summary>
/// One history: clients, faults and the steps of the node in an order that the seed decides, then peace, and the sums. Throws <see cref="Violation"/> when the
/// node broke a promise on the way or the sums differ.
/// </summary>
internal sealed class History
{
    private readonly Random _random;
    private readonly Node _node;
    private readonly Clients _clients;
    private readonly Reader _reader;
    private readonly Fate _fate;

    public History(int seed, Bug bug, Coverage coverage, Action<string>? trace)
    {
        _random = new Random(seed);
        Ledger ledger = new();
        _node = new Node(_random, bug, ledger, coverage, trace);
        _clients = new Clients(_random, _node, ledger, coverage);
        _reader = new Reader(_random, _node, ledger, bug, coverage);
        _fate = new Fate(_random, _node, coverage);
    }

    /// <summary>What the readers of estimates saw: how many reads, and how many with the truth outside of the bounds.</summary>
    public (int Reads, int Outside) Estimates => (_reader.Estimates, _reader.Outside);

    /// <summary>Tells two runs apart: the same seed gives the same number.</summary>
    public ulong Fingerprint => _node.Fingerprint;

    public async Task RunAsync()
    {
        int steps = _random.Next(100, 400);
        for (int step = 0; step < steps && !_node.IsDamaged; step++)
        {
            await StepAsync();
            _reader.Harvest();
            _node.Check();
        }

        await _node.HealAsync();
        if (_node.IsDamaged)
        {
            return;
        }

        // What failed just before peace may show only now, and take back what was only written: it is sent again.
        NodeProcess process;
        do
        {
            process = _node.Process;
            await _clients.FinishAsync();
            await _node.EndExpiryAsync();
            await _node.CheckpointAsync();
        }
        while (_node.Process != process);

        await _reader.ReadEverythingAsync();
    }

    /// <summary>Ends the last process, which would otherwise stay in memory.</summary>
    public async Task EndAsync()
    {
        _node.Process.Kill();
        _node.Process.Dispose();
        await Pool.Settle();
    }

    private async Task StepAsync()
    {
        switch (_random.Next(100))
        {
            case < 40:
                _node.StepWorker();
                break;
            case < 58:
                await Pool.Turn();
                break;
            case < 62:
                await _node.SettleAsync();
                break;
            case < 74:
                _node.Advance(TimeSpan.FromMicroseconds(_random.Next(8_000)));
                break;
            case < 77:
                _node.Advance(TimeSpan.FromMilliseconds(_random.Next(50, 2_500)));
                break;
            case < 90:
                _clients.Act();
                break;
            case < 95:
                _reader.Read();
                break;
            case < 96:
                _clients.Define();
                break;
            default:
                await _fate.ActAsync();
                break;
        }
    }
}
