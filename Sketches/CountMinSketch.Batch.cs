using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Sketch.Sketches;

/// <content>
/// Batches: with each id that is applied, the cache lines of one further on are asked for, so that misses overlap with each other and with work. One at a time, since a processor that
/// has no room for another miss need not do what it was merely advised to. The result is the same as one call an id, in order.
/// </content>
public sealed partial class CountMinSketch
{
    /// <summary>How many ids ahead cache lines are asked for: more than a core has on their way at a time.</summary>
    internal const int Ahead = 64;

    /// <summary>Adds to many ids, in their order (so that every replica ends in the same state).</summary>
    /// <param name="ids">Any ids; an id may come several times.</param>
    /// <param name="deltas">What to add, one for each id.</param>
    /// <param name="estimates">Receives each id's estimate right after its delta; empty when nobody asks.</param>
    /// <exception cref="ArgumentException">The spans differ in length.</exception>
    [SkipLocalsInit]
    public unsafe void Add(ReadOnlySpan<ulong> ids, ReadOnlySpan<uint> deltas, Span<uint> estimates = default)
    {
        ThrowIfLengthsDiffer(ids.Length, deltas.Length);
        if (!estimates.IsEmpty)
            ThrowIfLengthsDiffer(ids.Length, estimates.Length);
        Vector128<uint>* places = stackalloc Vector128<uint>[Ahead];
        Asking asking = new(this);
        uint unasked = 0;
        ref uint estimate = ref estimates.IsEmpty ? ref unasked : ref MemoryMarshal.GetReference(estimates);
        nuint step = estimates.IsEmpty ? 0 : nuint.MaxValue;
        ref ulong id = ref MemoryMarshal.GetReference(ids);
        ref uint delta = ref MemoryMarshal.GetReference(deltas);
        nuint count = (nuint)ids.Length, asked = Math.Min(Ahead, count), done = 0;
        Vector128<uint> highest = default;
        for (nuint i = 0; i < asked; i++)
            asking.Ask(Unsafe.Add(ref id, i), places + i);
        for (; done < count; done++)
        {
            Vector128<uint>* place = places + (done % Ahead);
            Vector128<uint> raised = Raise(asking.Origin, (uint*)place, Unsafe.Add(ref delta, done));
            Unsafe.Add(ref estimate, done & step) = raised.ToScalar();
            highest = Vector128.Max(highest, raised);
            if (asked < count)
                asking.Ask(Unsafe.Add(ref id, asked++), place);
        }

        if (highest.ToScalar() == SaturatedEstimate)
            Volatile.Write(ref _saturated, true);
        Volatile.Write(ref _totalWeight, _totalWeight + Sum(deltas));
    }

    /// <summary>The estimates of many ids.</summary>
    /// <param name="ids">Any ids.</param>
    /// <param name="estimates">Receives one estimate an id.</param>
    /// <exception cref="ArgumentException">The spans differ in length.</exception>
    [SkipLocalsInit]
    public unsafe void Estimate(ReadOnlySpan<ulong> ids, Span<uint> estimates)
    {
        ThrowIfLengthsDiffer(ids.Length, estimates.Length);
        Vector128<uint>* places = stackalloc Vector128<uint>[Ahead];
        Asking asking = new(this);
        int asked = Math.Min(Ahead, ids.Length);
        for (int i = 0; i < asked; i++)
            asking.Ask(ids[i], places + i);
        for (int i = 0; i < ids.Length; i++)
        {
            Vector128<uint>* place = places + (i % Ahead);
            estimates[i] = Smallest(asking.Origin, (uint*)place);
            if (asked < ids.Length)
                asking.Ask(ids[asked++], place);
        }

        GC.KeepAlive(this);
    }

    /// <summary>Asks for the cache lines of an id that is about to be added, by its hash under the sketch's key.</summary>
    internal void Prefetch(ulong hash)
    {
        Asking asking = new(this);
        asking.AskHashed(hash, out _);
    }

    private static ulong Sum(ReadOnlySpan<uint> deltas)
    {
        Vector256<ulong> sums = default;
        for (; deltas.Length >= Vector256<uint>.Count; deltas = deltas[Vector256<uint>.Count..])
        {
            (Vector256<ulong> lower, Vector256<ulong> upper) = Vector256.Widen(Vector256.Create(deltas));
            sums += lower + upper;
        }

        ulong sum = Vector256.Sum(sums);
        foreach (uint delta in deltas)
            sum += delta;
        return sum;
    }

    // What each id needs, in registers.
    private readonly unsafe struct Asking(CountMinSketch sketch)
    {
        private readonly IdHash _hash = new(sketch._key);
        private readonly CountMinCells _cells = new(sketch._linesPerHalf);

        public uint* Origin { get; } = sketch.Origin;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Ask(ulong id, Vector128<uint>* places) => AskHashed(_hash.Of(id), out *places);

        // Into the second-level cache: a core has room for more misses on their way there than to its first.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void AskHashed(ulong hash, out Vector128<uint> places)
        {
            places = _cells.Of(hash);
            if (Sse.IsSupported)
            {
                Sse.Prefetch1(Origin + places[0]);
                Sse.Prefetch1(Origin + places[1]);
            }
        }
    }

    private static void ThrowIfLengthsDiffer(int ids, int others)
    {
        if (ids != others)
            throw new ArgumentException($"{ids} ids with {others} values; allowed: as many of one as of the other");
    }
}
