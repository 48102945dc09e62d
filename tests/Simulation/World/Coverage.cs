namespace Sketch.Tests.Simulation.World;

/// <summary>What may go wrong, or crosswise, in a history.</summary>
internal enum Fault
{
    KilledInDiskCall,
    PowerLostInDiskCall,
    Killed,
    PowerLost,
    BitsFlippedInLostPower,
    DurableBitFlipped,
    WriteFailed,
    SyncFailed,
    OtherCallFailed,
    DiskFull,
    StoreRefused,
    StoreAppliedAndLostAnswer,
    StoreHung,
    StoreAppliedLate,
    ClockJumped,
    BatchSentAgainWhileUnderway,
    BatchSentAgainAfterAnswer,
    BatchesOvertook,
    ProducerShared,
    TierSwitched,
    ClosedInOrder,
    TotalReadThroughTheStore,
    CheckpointLandedWhileReading,
}

/// <summary>How often each fault met which state of the node. A fault that is never generated proves nothing.</summary>
internal sealed class Coverage
{
    private readonly SortedDictionary<(Fault Fault, string State), long> _hits = [];

    public IEnumerable<((Fault Fault, string State) What, long Hits)> All => _hits.Select(h => (h.Key, h.Value));

    public void Hit(Fault fault, string state) => Add(fault, state, 1);

    public void Add(Fault fault, string state, long hits) => _hits[(fault, state)] = _hits.GetValueOrDefault((fault, state)) + hits;
}
