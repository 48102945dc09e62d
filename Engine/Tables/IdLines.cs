using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Sketch.Sketches;

namespace Sketch.Engine.Tables;

/// <summary>
/// Slots for ids and a number beside each, in lines: four ids and then their four numbers, one line of the processor's cache. A line is looked at with one comparison,
/// so that neither how full it is nor where in it an id lies is anything to guess wrong. What finds its line full goes to the next one, around the end. Zero is no id.
/// <para>
/// One writer at a time, and nothing is ever taken out. Readers take no lock: a number is there before its id.
/// </para>
/// </summary>
internal unsafe class IdLines
{
    /// <summary>Ids of a line.</summary>
    public const int Width = 4;

    /// <summary>How many ids are handed on together between those that look them up: few enough for what they bring to stay near, and for a byte to say which.</summary>
    public const int Together = 256;

    private const int Words = 2 * Width;
    private const int LineBytes = Words * sizeof(ulong);

    // Pinned: it stays aligned, and addresses in it may be asked for ahead.
    private readonly ulong[] _words;
    private readonly int _first;
    private readonly int _length;

    /// <param name="slots">At least so many slots.</param>
    public IdLines(int slots)
        : this(slots, 0)
    {
    }

    /// <param name="slots">At least so many slots.</param>
    /// <param name="beside">Further words of each slot, which lie after the lines.</param>
    protected IdLines(int slots, int beside)
    {
        Lines = (slots + Width - 1) / Width;
        _length = checked(Lines * (Words + (beside * Width)));
        _words = HugePages.Allocate<ulong>(_length, LineBytes, out _first);
        Origin = (ulong*)Unsafe.AsPointer(ref Line(0));
    }

    /// <summary>The first line's address, which stays what it is as long as this is alive.</summary>
    public ulong* Origin { get; }

    /// <summary>How many lines there are.</summary>
    public int Lines { get; }

    /// <summary>How many slots there are.</summary>
    public int Slots => Lines * Width;

    /// <summary>Memory, in bytes.</summary>
    public virtual long MemoryBytes => (long)Lines * LineBytes;

    /// <summary>The id in a slot; zero when the slot is free.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Id(int slot) => Volatile.Read(ref Word(slot));

    /// <summary>The number in a slot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref long Number(int slot) => ref Unsafe.As<ulong, long>(ref Unsafe.Add(ref Word(slot), Width));

    /// <summary>An id's slot; or, negative, the complement of the free slot where it would be. There must be a free one.</summary>
    /// <param name="id">The id.</param>
    /// <param name="line">Its home.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(ulong id, int line)
    {
        while (true)
        {
            ref ulong ids = ref Line(line);
            uint found = Where(ref ids, id);
            if (found != 0)
            {
                return (line * Width) + BitOperations.TrailingZeroCount(found);
            }

            // Slots of a line are filled from its first on.
            if (Unsafe.Add(ref ids, Width - 1) == 0)
            {
                return ~((line * Width) + BitOperations.TrailingZeroCount(Where(ref ids, 0)));
            }

            line = line + 1 == Lines ? 0 : line + 1;
        }
    }

    /// <summary>Puts an id into a free slot.</summary>
    public void Fill(int slot, ulong id, long number)
    {
        Number(slot) = number;
        Volatile.Write(ref Word(slot), id); // last: who sees the id sees its number
    }

    /// <summary>Asks for a line, so that it is there when it is looked at.</summary>
    /// <param name="origin">Of its table.</param>
    /// <param name="line">Its number.</param>
    /// <returns>Its address.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong* Ask(ulong* origin, int line) => Ask(origin + ((nuint)(uint)line * Words));

    /// <summary>Asks for the line after another, around the end.</summary>
    /// <returns>Its address.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong* AskAfter(ulong* line) => Ask(line + Words == Origin + ((nuint)(uint)Lines * Words) ? Origin : line + Words);

    /// <summary>Which slot has an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SlotOf(nint slot)
    {
        nuint word = (nuint)((ulong*)slot - Origin);
        return (int)((word / Words * Width) + (word % Words));
    }

    /// <summary>The number in a slot, by the slot's address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref long NumberAt(nint slot) => ref *((long*)slot + Width);

    /// <summary>Puts an id into a free slot, by the slot's address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FillAt(ulong* slot, ulong id, long number)
    {
        NumberAt((nint)slot) = number;
        Volatile.Write(ref *slot, id); // last: who sees the id sees its number
    }

    /// <summary>A bit for each slot of a line that holds the id.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Where(ref ulong ids, ulong id)
    {
        // The processor reads each id whole; that a number is read after its id follows from its address.
        if (Vector256.IsHardwareAccelerated)
        {
            return Vector256.Equals(Vector256.LoadUnsafe(ref ids), Vector256.Create(id)).ExtractMostSignificantBits();
        }

        uint found = 0;
        for (int i = 0; i < Width; i++)
        {
            found |= (Volatile.Read(ref Unsafe.Add(ref ids, i)) == id ? 1u : 0) << i;
        }

        return found;
    }

    /// <summary>Frees all slots; nobody else may hold this.</summary>
    public void Clear() => _words.AsSpan(_first, _length).Clear();

    /// <summary>The first of the words beside all slots.</summary>
    protected ref ulong Beside
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Line(Lines);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* Ask(ulong* line)
    {
        if (Sse.IsSupported)
        {
            // Into the second-level cache: a core has room for more misses on their way there than to its first.
            Sse.Prefetch1(line);
        }

        return line;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref ulong Line(int line) =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_words), (nuint)(uint)_first + ((nuint)(uint)line * Words));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref ulong Word(int slot) => ref Unsafe.Add(ref Line((int)((uint)slot / Width)), (nuint)((uint)slot % Width));
}
