using System.Runtime.InteropServices;

namespace Sketch.Engine.Catalogue;

/// <summary>
/// Ids and their names: 16 bytes a slot (at most three quarters full) and 5 bytes beside each name. Look-ups take no lock; additions, which are rare
/// against them, take one.
/// </summary>
internal sealed class NameTable
{
    private const int ChunkBits = 20;
    private const int ChunkBytes = 1 << ChunkBits;

    private readonly Lock _adding = new();
    private Slot[] _slots = new Slot[1 << 12];
    private byte[][] _chunks = [];
    private int _used = ChunkBytes;
    private int _count;

    /// <summary>How many names there are.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Finds an id.</summary>
    public bool TryGet(ulong id, out NameEntry entry)
    {
        long reference = Find(Volatile.Read(ref _slots), id);
        entry = reference == 0 ? default : At(reference);
        return reference != 0;
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

            reference = Store(namespaceIndex, name);
            if ((_count + 1) * 4L > _slots.Length * 3L)
            {
                Volatile.Write(ref _slots, Grown(_slots));
            }

            Insert(_slots, id, reference);
            _count++;
            return At(reference);
        }
    }

    private static long Find(Slot[] slots, ulong id)
    {
        for (ulong at = id; ; at++)
        {
            ref Slot slot = ref slots[at & (ulong)(slots.Length - 1)];
            ulong found = Volatile.Read(ref slot.Id);
            if (found == id)
            {
                return slot.Reference;
            }

            if (found == 0)
            {
                return 0;
            }
        }
    }

    private static void Insert(Slot[] slots, ulong id, long reference)
    {
        ulong at = id;
        while (slots[at & (ulong)(slots.Length - 1)].Id != 0)
        {
            at++;
        }

        ref Slot slot = ref slots[at & (ulong)(slots.Length - 1)];
        slot.Reference = reference;
        Volatile.Write(ref slot.Id, id); // last: who sees the id sees where its name is
    }

    private static Slot[] Grown(Slot[] from)
    {
        Slot[] into = new Slot[from.Length * 2];
        foreach (Slot slot in from)
        {
            if (slot.Id != 0)
            {
                Insert(into, slot.Id, slot.Reference);
            }
        }

        return into;
    }

    private long Store(ushort namespaceIndex, ReadOnlySpan<byte> name)
    {
        int size = NameEntry.HeaderBytes + name.Length;
        if (_used + size > ChunkBytes)
        {
            Volatile.Write(ref _chunks, [.. _chunks, new byte[ChunkBytes]]);
            _used = 0;
        }

        // A reference of zero means "none", hence the chunk's number from 1.
        long reference = ((long)_chunks.Length << ChunkBits) | (long)_used;
        NameEntry.Write(_chunks[^1].AsSpan(_used, size), namespaceIndex, name);
        _used += size;
        return reference;
    }

    private NameEntry At(long reference) =>
        new(Volatile.Read(ref _chunks)[(int)(reference >> ChunkBits) - 1], (int)(reference & (ChunkBytes - 1)));

    [StructLayout(LayoutKind.Sequential)]
    private struct Slot
    {
        public ulong Id;
        public long Reference;
    }
}
