using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Tables;

namespace Sketch.Engine.Totals;

/// <summary>
/// Counters that are out of memory: that they exist, whose they are, and 16 bits of their names' hash, 10 bytes each in sorted runs that are replaced as a whole. So a new
/// name is told from an old one, and a second name on a taken id is found out, without asking the store. One writer, readers take no lock.
/// </summary>
internal sealed class ColdCounters
{
    /// <summary>There are two to the power of this many runs: upper bits of a mixed id say which.</summary>
    public const int RunBits = 10;

    /// <summary>Runs that belong to one segment of the table.</summary>
    public const int RunsOfSegment = 1 << (RunBits - CounterTable.SegmentBits);

    // How far from a guess is looked first: alone, and after a better guess.
    private const int Near = 64;
    private const int Step = 4;

    private readonly Run?[] _runs = new Run?[1 << RunBits];
    private long _count;

    /// <summary>How many there are; some of them may have come back into memory since.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Memory, in bytes.</summary>
    public long MemoryBytes => Count * 10;

    /// <summary>What is known of an id, zero when it is not here.</summary>
    public long Find(ulong mixed)
    {
        if (Volatile.Read(ref _runs[mixed >> (64 - RunBits)]) is not { } run)
        {
            return 0;
        }

        // The run is one of 1,024; what is left of the number orders it, and ids are hashes: a guess is nearly right.
        ulong key = mixed << RunBits;
        int at = LowerBound(run.Keys, key, (int)Math.BigMul(key, (ulong)(uint)run.Keys.Length, out _), Near);
        return at < run.Keys.Length && Number(run.Keys[at]) == key ? Reference(run.Keys[at], run.Hashes[at]) : 0;
    }

    /// <summary>
    /// What is known of many ids, zero for those that are not here. Interpolation search, a step for all of them after the other, so that their cache misses overlap: ids
    /// are hashes, so the first guess is off by the square root of the run's length, and the second, from what lies there, by the root of that.
    /// </summary>
    /// <param name="mixed">Mixed ids.</param>
    /// <param name="references">Gets what is known of each.</param>
    public void Find(ReadOnlySpan<ulong> mixed, Span<long> references)
    {
        Span<int> guesses = stackalloc int[IdLines.Together];
        RunsSeen runs = default;
        for (int i = 0; i < mixed.Length; i++)
        {
            Run run = Volatile.Read(ref _runs[mixed[i] >> (64 - RunBits)]) ?? Run.Empty;
            runs[i] = run;
            guesses[i] = (int)Math.BigMul(mixed[i] << RunBits, (ulong)(uint)run.Keys.Length, out _);
            Prefetch(run.Keys, guesses[i]);
        }

        for (int i = 0; i < mixed.Length; i++)
        {
            if (runs[i].Keys is { Length: > 0 } keys)
            {
                guesses[i] = Better(keys, mixed[i] << RunBits, guesses[i]);
                Prefetch(keys, guesses[i]);
                Prefetch(runs[i].Hashes, guesses[i]);
            }
        }

        for (int i = 0; i < mixed.Length; i++)
        {
            Run run = runs[i];
            ulong key = mixed[i] << RunBits;
            int at = LowerBound(run.Keys, key, guesses[i], Step);
            references[i] = at < run.Keys.Length && Number(run.Keys[at]) == key ? Reference(run.Keys[at], run.Hashes[at]) : 0;
        }
    }

    /// <summary>Puts counters into a run and takes others out of it.</summary>
    /// <param name="number">Which run.</param>
    /// <param name="added">Mixed ids and references, ascending by the former.</param>
    /// <param name="drops">Whether what the run holds of a mixed id goes.</param>
    public void Merge(int number, ReadOnlySpan<(ulong Mixed, long Reference)> added, Predicate<ulong>? drops)
    {
        Run before = _runs[number] ?? Run.Empty;
        ulong[] keys = GC.AllocateUninitializedArray<ulong>(before.Keys.Length + added.Length);
        ushort[] hashes = GC.AllocateUninitializedArray<ushort>(keys.Length);
        int count = 0;
        int next = 0;
        ulong prefix = (ulong)number << (64 - RunBits);
        for (int i = 0; i < before.Keys.Length; i++)
        {
            ulong old = Number(before.Keys[i]);
            for (; next < added.Length && added[next].Mixed << RunBits < old; next++, count++)
            {
                (keys[count], hashes[count]) = Pack(added[next]);
            }

            bool isReplaced = next < added.Length && added[next].Mixed << RunBits == old;
            if (!isReplaced && drops?.Invoke(prefix | (old >> RunBits)) != true)
            {
                (keys[count], hashes[count++]) = (before.Keys[i], before.Hashes[i]);
            }
        }

        for (; next < added.Length; next++, count++)
        {
            (keys[count], hashes[count]) = Pack(added[next]);
        }

        Array.Resize(ref keys, count);
        Array.Resize(ref hashes, count);
        Volatile.Write(ref _runs[number], count == 0 ? null : new Run(keys, hashes));
        Volatile.Write(ref _count, _count + count - before.Keys.Length);
    }

    /// <summary>Whether a run holds nobody.</summary>
    public bool IsEmpty(int number) => _runs[number] is null;

    // 54 bits of the mixed id, the namespace in the 10 below.
    private static ulong Number(ulong key) => key & (ulong.MaxValue << NameEntry.NamespaceBits);

    private static (ulong Key, ushort Hash) Pack((ulong Mixed, long Reference) counter) =>
        ((counter.Mixed << RunBits) | ((ulong)counter.Reference >> NameEntry.NamespaceShift), (ushort)((counter.Reference & NameEntry.ShortMask) >> 1));

    private static long Reference(ulong key, ushort hash) =>
        ((long)key << NameEntry.NamespaceShift) | ((long)hash << 1) | 1 | NameEntry.DeclaredFlag | NameEntry.StoredFlag | NameEntry.UnloadedFlag | NameEntry.ShortFlag;

    // From what lies at a guess: as far beside it as the difference says, if keys lie evenly.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Better(ulong[] keys, ulong key, int guess)
    {
        ulong there = keys[guess];
        ulong off = key > there ? key - there : there - key;
        int steps = (int)Math.BigMul(off, (ulong)(uint)keys.Length, out _);
        return key > there ? Math.Min(guess + steps, keys.Length - 1) : Math.Max(guess - steps, 0);
    }

    // The first key that is not smaller, looked for from a guess on in both directions, in steps that grow.
    private static int LowerBound(ulong[] keys, ulong key, int guess, int firstStep)
    {
        int low = 0;
        int high = keys.Length;
        for (long step = firstStep; high - low > firstStep && step < keys.Length; step *= 4)
        {
            if (guess - step > low)
            {
                int left = (int)(guess - step);
                (low, high) = Number(keys[left]) < key ? (left + 1, high) : (low, left);
            }

            if (guess + step < high)
            {
                int right = (int)(guess + step);
                (low, high) = Number(keys[right]) < key ? (right + 1, high) : (low, right);
            }
        }

        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = Number(keys[middle]) < key ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Prefetch<T>(T[] array, int at)
        where T : unmanaged
    {
        if (Sse.IsSupported)
        {
            // Should the array move, a line is asked for in vain.
            Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(array), at)));
        }
    }

    [InlineArray(IdLines.Together)]
    private struct RunsSeen
    {
        private Run _first;
    }

    private sealed record Run(ulong[] Keys, ushort[] Hashes)
    {
        /// <summary>A run of nobody.</summary>
        public static readonly Run Empty = new([], []);
    }
}
