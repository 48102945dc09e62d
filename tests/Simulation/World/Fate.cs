namespace Sketch.Tests.Simulation.World;

/// <summary>What goes wrong. Each history knows only some faults, so that rare combinations come up as well as common ones.</summary>
internal sealed class Fate
{
    private static readonly string[] OtherCalls = ["open", "rename", "fsync", "fallocate", "unlink", "ftruncate", "pread"];
    private static readonly Fault[] Known =
    [
        Fault.KilledInDiskCall, Fault.PowerLostInDiskCall, Fault.Killed, Fault.PowerLost, Fault.BitsFlippedInLostPower, Fault.DurableBitFlipped,
        Fault.WriteFailed, Fault.SyncFailed, Fault.OtherCallFailed, Fault.DiskFull, Fault.StoreRefused, Fault.StoreAppliedAndLostAnswer, Fault.StoreHung,
        Fault.StoreAppliedLate, Fault.ClockJumped, Fault.ClosedInOrder,
    ];

    private readonly Random _random;
    private readonly Node _node;
    private readonly Coverage _coverage;
    private readonly Fault[] _faults;

    public Fate(Random random, Node node, Coverage coverage)
    {
        _random = random;
        _node = node;
        _coverage = coverage;
        int share = random.Next(2, 9);
        _faults = [.. Known.Where(_ => random.Next(10) < share)];
    }

    public async Task ActAsync()
    {
        if (_faults.Length == 0)
        {
            return;
        }

        Fault fault = _faults[_random.Next(_faults.Length)];
        _node.Trace($"fate {fault} at {_node.State}");
        switch (fault)
        {
            case Fault.KilledInDiskCall or Fault.PowerLostInDiskCall:
                _node.DieSoon(_random.Next(1, 25), losePower: fault == Fault.PowerLostInDiskCall);
                break;
            case Fault.Killed or Fault.PowerLost or Fault.BitsFlippedInLostPower:
                _coverage.Hit(fault, _node.State);
                _node.Restart(losePower: fault != Fault.Killed, flipBits: fault == Fault.BitsFlippedInLostPower);
                break;
            case Fault.DurableBitFlipped:
                Flip();
                break;
            case Fault.ClockJumped:
                _coverage.Hit(fault, _node.State);
                _node.Process.Clock.Skew += TimeSpan.FromMinutes(_random.Next(-61, 62));
                break;
            case Fault.ClosedInOrder when _node.IsOpen:
                _coverage.Hit(fault, _node.State);
                await _node.CloseAsync();
                break;
            case Fault.WriteFailed or Fault.SyncFailed or Fault.OtherCallFailed or Fault.DiskFull:
                FailDisk(fault);
                break;
            default:
                FailStore(fault);
                break;
        }
    }

    private void FailDisk(Fault fault)
    {
        if (fault == Fault.DiskFull)
        {
            _node.Device.Free = _node.Device.Free > 1L << 40 ? _random.Next(6_000) : Device.Plenty;
            return;
        }

        _node.Process.Disk.FailNext(fault switch
        {
            Fault.WriteFailed => "pwrite",
            Fault.SyncFailed => "fdatasync",
            _ => OtherCalls[_random.Next(OtherCalls.Length)],
        });
    }

    private void FailStore(Fault fault)
    {
        if (fault == Fault.StoreRefused)
        {
            _node.Store.Away = !_node.Store.Away;
        }

        _node.Store.Mood = fault switch
        {
            Fault.StoreAppliedAndLostAnswer => StoreMood.AppliesAndLosesTheAnswer,
            Fault.StoreHung => StoreMood.Hangs,
            Fault.StoreAppliedLate => StoreMood.HangsAndAppliesLate,
            _ => StoreMood.Refuses,
        };
    }

    /// <summary>One bit of what has long been durable, which a start must notice.</summary>
    private void Flip()
    {
        string? last = _node.Device.Names.Keys.Where(path => path.EndsWith(".seg", StringComparison.Ordinal)).Order(StringComparer.Ordinal).LastOrDefault();
        if (last is null || _node.Device.Names[last] is not { LongDurable: > 64 } inode || _random.Next(3) != 0)
        {
            return;
        }

        _coverage.Hit(Fault.DurableBitFlipped, _node.State);
        int at = _random.Next(inode.LongDurable);
        _node.Trace($"flip at {at} of {last}, durable {inode.LongDurable} and {inode.DurableLength} of {inode.Length}");
        inode.Flip(at, _random.Next(8));
        _node.IsFlipped = true;
        _node.Restart(losePower: false);
    }
}
