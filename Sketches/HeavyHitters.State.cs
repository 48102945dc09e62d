using System.Buffers;
using System.Buffers.Binary;

namespace Sketch.Sketches;

/// <content>Merging, and saved states: docs/formats/sketches.md.</content>
public sealed partial class HeavyHitters
{
    private const int EntryBytes = 24;

    /// <summary>How many bytes <see cref="Save"/> writes.</summary>
    public int StateBytes => StateHeader.HeaderBytes + Count * EntryBytes + StateHeader.ChecksumBytes;

    /// <summary>
    /// Takes in another table: bounds add up (an id without an entry on one side may weigh that side's offset), then the lightest
    /// go until the rest fits. Bounds stay certain whatever the order of merges. Neither table may be written meanwhile.
    /// </summary>
    /// <param name="other">A table of any capacity and key.</param>
    public void Merge(HeavyHitters other)
    {
        ArgumentNullException.ThrowIfNull(other);
        long mine = _offset, theirs = other._offset, together = mine + theirs;
        List<Entry> merged = new(_count + other._count);
        foreach (Entry entry in Entries())
        {
            merged.Add(other.EntryOf(entry.Id) is { } match
                ? entry with { Upper = entry.Upper + match.Upper, CameInAt = entry.CameInAt + match.CameInAt }
                : entry with { Upper = entry.Upper + theirs, CameInAt = entry.CameInAt + theirs });
        }

        foreach (Entry entry in other.Entries())
        {
            if (EntryOf(entry.Id) is null)
                merged.Add(entry with { Upper = entry.Upper + mine, CameInAt = entry.CameInAt + mine });
        }

        if (merged.Count > Capacity)
        {
            merged.Sort(static (a, b) => b.Upper.CompareTo(a.Upper));
            together = Math.Max(together, merged[Capacity].Upper);
            merged.RemoveAll(entry => entry.Upper <= together);
        }

        long weight = _totalWeight + other._totalWeight;
        lock (_purging)
            Replace(merged, together, weight);
    }

    /// <summary>Writes the state, entries by id. The table must not be written meanwhile.</summary>
    /// <param name="writer">Receives <see cref="StateBytes"/> bytes.</param>
    public void Save(IBufferWriter<byte> writer)
    {
        if (_isRaised)
            throw new InvalidOperationException("the table has weights that were counted elsewhere: there is no state to save");
        ArgumentNullException.ThrowIfNull(writer);
        Entry[] entries = [.. Entries().OrderBy(static entry => entry.Id)];
        StateHeader header = new(
            StateKind.HeavyHitters, 0, 0, 0, (ulong)Capacity, (ulong)_offset, (ulong)_totalWeight, entries.Length * EntryBytes);
        Span<byte> state = header.Begin(writer);
        Span<byte> at = state[StateHeader.HeaderBytes..];
        foreach (Entry entry in entries)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(at, entry.Id);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], entry.Upper);
            BinaryPrimitives.WriteInt64LittleEndian(at[16..], entry.CameInAt);
            at = at[EntryBytes..];
        }

        StateHeader.End(writer, state);
    }

    /// <summary>Reads a state.</summary>
    /// <param name="state">What <see cref="Save"/> wrote; anything else is refused.</param>
    /// <param name="key">Keys the new table's hash; what is kept does not depend on it.</param>
    /// <param name="maxCapacity">A table for more entries is refused before anything is allocated.</param>
    /// <exception cref="InvalidDataException">Not such a state, damaged, or too large.</exception>
    public static HeavyHitters Load(ReadOnlySpan<byte> state, SketchKey key = default, int maxCapacity = MaxCapacity)
    {
        StateHeader header = StateHeader.Read(state, StateKind.HeavyHitters, out ReadOnlySpan<byte> payload);
        header.RequireKey(0);
        header.RequireFlags(0);
        int limit = Math.Min(maxCapacity, MaxCapacity);
        if (header.Parameter is < MinCapacity || header.Parameter > (ulong)limit)
            throw new InvalidDataException($"capacity is {header.Parameter}; allowed {MinCapacity} to {limit}");
        int count = payload.Length / EntryBytes;
        if (payload.Length % EntryBytes != 0 || count > (int)header.Parameter || header.Shape != 0)
            throw new InvalidDataException($"payload length is {payload.Length}; allowed up to {header.Parameter} entries of {EntryBytes} bytes");
        long offset = (long)header.First, weight = (long)header.Second;
        if (offset < 0 || weight < offset)
            throw new InvalidDataException($"offset is {offset} and the total weight {weight}; allowed 0 or more, and not above the total");

        List<Entry> entries = new(count);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> at = payload[(i * EntryBytes)..];
            Entry entry = new(
                BinaryPrimitives.ReadUInt64LittleEndian(at), BinaryPrimitives.ReadInt64LittleEndian(at[8..]), BinaryPrimitives.ReadInt64LittleEndian(at[16..]));
            bool ascending = i == 0 || entry.Id > entries[i - 1].Id;
            if (!ascending || entry.CameInAt < 0 || entry.CameInAt > offset || entry.Upper <= offset || entry.Upper > weight)
                throw new InvalidDataException($"entry {i} is {entry.Id}, {entry.Upper}, {entry.CameInAt}; allowed: ids ascending, upper above the offset, came in at 0 to the offset");
            entries.Add(entry);
        }

        HeavyHitters table = new((int)header.Parameter, key);
        table.Replace(entries, offset, weight);
        return table;
    }

    private void Replace(List<Entry> entries, long offset, long weight)
    {
        Array.Clear(_slots);
        Volatile.Write(ref _offset, offset);
        Volatile.Write(ref _totalWeight, weight);
        foreach (Entry entry in entries)
            Put(Find(entry.Id), entry);
        Volatile.Write(ref _count, entries.Count);
    }

    private IEnumerable<Entry> Entries()
    {
        for (int at = 0; at < _slots.Length; at++)
        {
            if (_slots[at].Upper != 0)
                yield return new Entry(_slots[at].Id, _slots[at].Upper, _cameInAt[at]);
        }
    }

    private Entry? EntryOf(ulong id)
    {
        int at = Find(id);
        return SlotAt(at).Upper == 0 ? null : new Entry(id, SlotAt(at).Upper, _cameInAt[at]);
    }
}
