using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Engine.Increments;

/// <summary>
/// The names that one sender declared, by number: the first is 0, and so on. A number takes one to three bytes where an id takes eight, and what was found out about its
/// counter holds for the next batch, until some definition changes. One thread at a time.
/// </summary>
public sealed class NumberedNames
{
    /// <summary>The most names; 12 bytes of memory each.</summary>
    public const int Most = 1 << 21;

    private ulong[] _ids = [];
    private uint[] _usualIn = [];
    private long _judgedAt = -1;
    private uint _judgement;

    /// <summary>How many names have a number.</summary>
    public int Count { get; private set; }

    internal ReadOnlySpan<ulong> Ids => _ids.AsSpan(0, Count);

    /// <summary>For each number, the judgement in which its counter was found to be what nearly all are.</summary>
    internal Span<uint> UsualIn => _usualIn.AsSpan(0, Count);

    /// <summary>Asks for what is known of a number, so that it is there when it is looked at.</summary>
    internal unsafe void Ask(int number)
    {
        if (Sse.IsSupported)
        {
            // Should the arrays move, it is in vain.
            Sse.Prefetch0(Unsafe.AsPointer(ref _ids[number]));
            Sse.Prefetch0(Unsafe.AsPointer(ref _usualIn[number]));
        }
    }

    /// <summary>Forgets all names; their memory stays.</summary>
    public void Clear()
    {
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
            int room = Math.Min(Most, Math.Max(64, Count * 2));
            Array.Resize(ref _ids, room);
            Array.Resize(ref _usualIn, room);
        }

        _usualIn[Count] = 0;
        _ids[Count++] = id;
    }

    /// <summary>Begins a batch that is judged by the definitions up to a position: what earlier ones found out holds only if those are the same.</summary>
    /// <returns>The judgement that holds.</returns>
    internal uint Judge(long definitionsAt)
    {
        if (definitionsAt != _judgedAt)
        {
            _judgedAt = definitionsAt;
            _judgement++;
            if (_judgement == 0)
            {
                Array.Clear(_usualIn);
                _judgement = 1;
            }
        }

        return _judgement;
    }
}
