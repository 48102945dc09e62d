using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Engine.Increments;

/// <summary>
/// The names that one sender declared, by number: the first is 0, and so on. A number takes one to three bytes where an id takes eight, and what was found out about its
/// counter holds for the next batch, until some definition changes. One thread at a time.
/// </summary>
public sealed class NumberedNames
{
    /// <summary>The most names; 8 bytes of memory each, and a bit.</summary>
    public const int Most = 1 << 21;

    private const int BitsOfWord = 64;

    private ulong[] _ids = [];

    // A bit for each number, apart from the ids: the bits of a million names stay in a processor's cache, the ids don't.
    private ulong[] _usual = [];
    private long _judgedAt = -1;

    /// <summary>How many names have a number.</summary>
    public int Count { get; private set; }

    internal ReadOnlySpan<ulong> Ids => _ids.AsSpan(0, Count);

    /// <summary>A bit for each number: whether its counter was found to be what nearly all are, by the definitions that the batch is judged by.</summary>
    internal ReadOnlySpan<ulong> Usual => _usual;

    /// <summary>Asks for the id of a number, so that it is there when it is looked at.</summary>
    /// <param name="ids">The first of <see cref="Ids"/>.</param>
    /// <param name="number">Any: nothing is read.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static unsafe void Ask(ref ulong ids, int number)
    {
        if (Sse.IsSupported)
        {
            // Into the second-level cache, as in IdLines. Should the array move, it is in vain.
            Sse.Prefetch1(Unsafe.AsPointer(ref Unsafe.Add(ref ids, number)));
        }
    }

    /// <summary>Whether a number's bit is set.</summary>
    /// <param name="usual">The first of <see cref="Usual"/>.</param>
    /// <param name="number">Below <see cref="Count"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsSet(ref ulong usual, int number) => ((Unsafe.Add(ref usual, (uint)number / BitsOfWord) >> number) & 1) != 0;

    /// <summary>The counter of a number was found to be what nearly all are, by the definitions that the batch is judged by.</summary>
    internal void SetUsual(int number) => _usual[(uint)number / BitsOfWord] |= 1UL << number;

    /// <summary>Forgets all names; their memory stays.</summary>
    public void Clear()
    {
        ClearUsual();
        Count = 0;
        _judgedAt = -1;
    }

    /// <summary>Gives names that are no names their numbers, so that those of later ones don't depend on it; they are no counters.</summary>
    /// <param name="names">How many.</param>
    public void Skip(int names)
    {
        for (int i = 0; i < names; i++)
        {
            Add(0);
        }
    }

    internal void Add(ulong id)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(Count, Most);
        if (Count == _ids.Length)
        {
            int room = Math.Min(Most, Math.Max(BitsOfWord, Count * 2));
            Array.Resize(ref _ids, room);
            Array.Resize(ref _usual, room / BitsOfWord);
        }

        _ids[Count++] = id;
    }

    /// <summary>Begins a batch that is judged by the definitions up to a position: what earlier ones found out holds only if those are the same.</summary>
    internal void Judge(long definitionsAt)
    {
        if (definitionsAt != _judgedAt)
        {
            _judgedAt = definitionsAt;
            ClearUsual();
        }
    }

    // Those of numbers that no name has yet are not set.
    private void ClearUsual() => _usual.AsSpan(0, (Count + BitsOfWord - 1) / BitsOfWord).Clear();
}
