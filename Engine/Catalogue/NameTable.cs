using System.Runtime.InteropServices;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Catalogue;

/// <summary>
/// Ids and their names: 16 bytes a slot (at most three quarters full) and 2 bytes beside each name. Look-ups take no lock; additions, which are rare
/// against them, take one.
/// </summary>
internal sealed class NameTable
{
    public const int ChunkBytes = 1 << ChunkBits;

    private const int ChunkBits = 20;

    private readonly Lock _adding = new();
    private Slot[] _slots = IdSlots.Allocate<Slot>(1 << 12);
    private byte[][] _chunks = [];
    private int _filled;
    private int _used = ChunkBytes;
    private int _count;

    /// <summary>How many names there are.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Memory of slots and names, in bytes.</summary>
    public long MemoryBytes => (Volatile.Read(ref _slots).LongLength * 16) + ((long)Volatile.Read(ref _filled) * ChunkBytes);

    /// <summary>Finds an id.</summary>
    public bool TryGet(ulong id, out NameEntry entry)
    {
        long reference = Find(Volatile.Read(ref _slots), id);
        entry = reference == 0 ? default : At(reference);
        return reference != 0;
    }

    /// <summary>Finds many ids at once: what <see cref="NameEntry"/> calls a reference for each, zero for an id without a name.</summary>
    public void Find(ReadOnlySpan<ulong> ids, Span<long> references)
    {
        Slot[] slots = Volatile.Read(ref _slots);
        for (int from = 0; from < ids.Length; from += IdSlots.Group)
        {
            IdSlots.PrefetchAhead(slots, ids, from);
            int end = Math.Min(ids.Length, from + IdSlots.Group);
            for (int i = from; i < end; i++)
            {
                references[i] = Find(slots, ids[i]);
            }
        }
    }

    /// <summary>Finds an id, or adds it with this name; the caller compares the name of what is returned with its own.</summary>
    public NameEntry GetOrAdd(ulong id, ushort namespaceIndex, ReadOnlySpan<byte> name, out bool added)
    {
        ArgumentOutOfRangeException.ThrowIfZero(id);
        lock (_adding)
        {
            long reference = Find(_slots, id);
            added = reference == 0;
            if (!added)
            {
                return At(reference);
            }

            reference = Store(name) | ((long)namespaceIndex << NameEntry.NamespaceShift);
            if ((_count + 1) * 4L > _slots.Length * 3L)
            {
                Volatile.Write(ref _slots, Grown(_slots));
            }

            Insert(_slots, id, reference);
            Volatile.Write(ref _count, _count + 1);
            return At(reference);
        }
    }

    /// <summary>Marks an id that has a name: the log holds it, or it has a definition of its own.</summary>
    public void Mark(ulong id, bool defined)
    {
        lock (_adding)
        {
            ref long reference = ref _slots[Place(_slots, id)].Reference;
            Volatile.Write(ref reference, (reference & ~NameEntry.RemovedFlag) | NameEntry.DeclaredFlag | (defined ? NameEntry.DefinedFlag : 0));
        }
    }

    /// <summary>Marks an id that has a name: its counter was deleted.</summary>
    public void MarkRemoved(ulong id)
    {
        lock (_adding)
        {
            ref long reference = ref _slots[Place(_slots, id)].Reference;
            Volatile.Write(ref reference, (reference & ~(NameEntry.DeclaredFlag | NameEntry.DefinedFlag)) | NameEntry.RemovedFlag);
        }
    }

    private static long Find(Slot[] slots, ulong id)
    {
        ref Slot slot = ref slots[Place(slots, id)];
        return Volatile.Read(ref slot.Id) == id ? Volatile.Read(ref slot.Reference) : 0;
    }

    // Where an id is, or the free slot where it would be.
    private static int Place(Slot[] slots, ulong id)
    {
        for (int at = IdSlots.Home(id, slots.Length); ; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            ulong found = Volatile.Read(ref slots[at].Id);
            if (found == id || found == 0)
            {
                return at;
            }
        }
    }

    private static void Insert(Slot[] slots, ulong id, long reference)
    {
        ref Slot slot = ref slots[Place(slots, id)];
        slot.Reference = reference;
        Volatile.Write(ref slot.Id, id); // last: who sees the id sees where its name is
    }

    private static Slot[] Grown(Slot[] from)
    {
        Slot[] into = IdSlots.Allocate<Slot>(checked((int)(from.Length * 3L / 2)));
        foreach (ref Slot slot in from.AsSpan())
        {
            if (slot.Id != 0)
            {
                Insert(into, slot.Id, slot.Reference);
            }
        }

        return into;
    }

    private long Store(ReadOnlySpan<byte> name)
    {
        int size = NameEntry.HeaderBytes + name.Length;
        if (_used + size > ChunkBytes)
        {
            AddChunk();
        }

        // A reference of zero means "none", hence the chunk's number from 1.
        long place = ((long)_filled << ChunkBits) | (long)_used;
        NameEntry.Write(_chunks[_filled - 1].AsSpan(_used, size), name);
        _used += size;
        return place;
    }

    private void AddChunk()
    {
        if (_filled == _chunks.Length)
        {
            byte[][] grown = new byte[Math.Max(16, _chunks.Length * 2)][];
            _chunks.CopyTo(grown, 0);
            Volatile.Write(ref _chunks, grown);
        }

        _chunks[_filled++] = new byte[ChunkBytes];
        _used = 0;
    }

    private NameEntry At(long reference) =>
        new(Volatile.Read(ref _chunks)[(int)((reference & NameEntry.PlaceMask) >> ChunkBits) - 1], reference);

    [StructLayout(LayoutKind.Sequential)]
    private struct Slot
    {
        public ulong Id;
        public long Reference;
    }
}
