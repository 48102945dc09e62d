using System.Numerics;

namespace Sketch.Sketches;

/// <summary>
/// Exact sums of a few ids: open addressing, entries only ever added. A reader that meets a slot half written takes it for
/// empty, because the flag that says it is in use is written last. Hashes come from the caller, who needs them anyway.
/// </summary>
internal sealed class HotTable
{
    private struct Slot
    {
        public ulong Id;
        public long Exact;
        public uint Positive;
        public uint Negative;
        public bool InUse;
    }

    private readonly Slot[] _slots;
    private readonly int _mask;
    private readonly int _capacity;
    private int _count;

    public HotTable(int capacity)
    {
        if (capacity is < 0 or > 1 << 20)
            throw new ArgumentOutOfRangeException(nameof(capacity), capacity, $"hotCapacity is {capacity}; allowed 0 to {1 << 20}");
        _capacity = capacity;
        _slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)capacity * 2 + 1)];
        _mask = _slots.Length - 1;
    }

    public int Count => Volatile.Read(ref _count);

    /// <summary>Adds to an id that is in the table.</summary>
    public bool TryAdd(ulong id, ulong hash, long delta)
    {
        if (_count == 0)
            return false;
        ref Slot slot = ref Find(id, hash);
        if (!slot.InUse)
            return false;
        Volatile.Write(ref slot.Exact, unchecked(slot.Exact + delta));
        return true;
    }

    /// <summary>Takes an id in, with what its sketches said until now.</summary>
    public bool TryMove(ulong id, ulong hash, uint positive, uint negative)
    {
        if (_count == _capacity)
            return false;
        ref Slot slot = ref Find(id, hash);
        slot.Id = id;
        slot.Positive = positive;
        slot.Negative = negative;
        Volatile.Write(ref slot.InUse, true);
        Volatile.Write(ref _count, _count + 1);
        return true;
    }

    public bool TryRead(ulong id, ulong hash, out long exact, out uint positive, out uint negative)
    {
        (exact, positive, negative) = (0, 0, 0);
        if (Count == 0)
            return false;
        ref Slot slot = ref Find(id, hash);
        // The slot may have been empty when found and taken by another id since.
        if (!Volatile.Read(ref slot.InUse) || slot.Id != id)
            return false;
        (exact, positive, negative) = (Volatile.Read(ref slot.Exact), slot.Positive, slot.Negative);
        return true;
    }

    public void Clear()
    {
        Array.Clear(_slots);
        Volatile.Write(ref _count, 0);
    }

    private ref Slot Find(ulong id, ulong hash)
    {
        int at = (int)hash & _mask;
        while (Volatile.Read(ref _slots[at].InUse) && _slots[at].Id != id)
            at = (at + 1) & _mask;
        return ref _slots[at];
    }
}
