using System.Collections.Concurrent;
using Sketch.Accuracy;
using Sketch.Engine.Checkpoints;
using Sketch.Sketches;

namespace Sketch.Engine.Elements;

/// <summary>
/// What approximate counters of the kind distinct have seen, each from its creation or last reset on: a HyperLogLog followed by a martingale in log order (see
/// <see cref="DistinctMartingale"/>), a million of them in about 100 MB: states in one <see cref="DistinctTable"/>, the martingales' figures in columns beside it. A pure
/// function of the log. The fold writes; readers share one of a few locks with the counters that have the same low bits.
/// </summary>
internal sealed class ApproximateDistincts
{
    private const int ChunkShift = 10;
    private const int ChunkSize = 1 << ChunkShift;

    private readonly DistinctTable _states;
    private readonly DistinctTable _raised; // what the open window changed
    private readonly Lock[] _gates = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];

    // A table that is emptied must have no reader.
    private readonly Lock _clearing = new();

    // Counters that were exact once: how many elements they had when they ceased to be.
    private readonly ConcurrentDictionary<ulong, long> _exactCounts = new();
    private Figures[][] _figures = [];

    public ApproximateDistincts(SketchKey key)
    {
        _states = new DistinctTable(key);
        _raised = new DistinctTable(key);
    }

    /// <summary>How many counters there are.</summary>
    public int Count => _states.Count;

    /// <summary>What states and figures take, in bytes.</summary>
    public long MemoryBytes => _states.MemoryBytes + _raised.MemoryBytes + ((long)Volatile.Read(ref _figures).Length * ChunkSize * 48);

    /// <summary>The position at which a counter began or was reset; false when there is none.</summary>
    public bool TryGetGeneration(ulong id, out long generation)
    {
        lock (Gate(id))
        {
            bool found = _states.TryGetNumber(id, out int number);
            generation = found ? At(number).Generation : 0;
            return found;
        }
    }

    /// <summary>Takes a state over from the store.</summary>
    /// <param name="sketch">Its elements.</param>
    /// <param name="stored">Its figures.</param>
    /// <exception cref="ArgumentException">The sketch is of another key.</exception>
    public void Take(HyperLogLog sketch, StoredDistinct stored) => Take(stored.Id, sketch, stored.ExactCount, new Figures
    {
        Generation = stored.Generation,
        AsOf = stored.Position,
        Added = stored.Added,
        Changes = (uint)stored.Changes,
        NewElements = stored.NewElements,
        Variance = stored.Variance,
    });

    /// <summary>Goes on where an exact counter ended: only what comes from here on errs.</summary>
    public void Take(ulong id, ExactDistinct exact)
    {
        Take(id, exact.Sketch, exact.Count, new Figures { Generation = exact.Generation, AsOf = exact.AsOf, IsTouched = exact.IsTouched });
        if (exact.Raised is { } raised)
        {
            _raised.Merge(id, raised);
        }
    }

    /// <summary>The fold adds an element.</summary>
    /// <param name="id">The counter, made when there is none.</param>
    /// <param name="generation">The position at which it began or was reset; a state of another one is let go.</param>
    /// <param name="hash">The element's.</param>
    /// <param name="position">Where it is in the log.</param>
    /// <returns>Whether it is the counter's first since the last <see cref="Capture"/>.</returns>
    public bool Add(ulong id, long generation, ulong hash, long position)
    {
        lock (Gate(id))
        {
            bool isNew = !_states.TryGetNumber(id, out int number);
            if (!isNew && At(number).Generation != generation)
            {
                RemoveState(id);
                isNew = true;
            }

            if (!isNew && position <= At(number).AsOf)
            {
                return Touch(ref At(number));
            }

            bool changed = _states.Add(id, hash, out double probability);
            ref Figures figures = ref isNew ? ref FiguresOf(id) : ref At(number);
            if (isNew)
            {
                figures = new Figures { Generation = generation };
            }

            figures.Added++;
            if (changed)
            {
                figures.Changes++;
                figures.NewElements += 1 / probability;
                figures.Variance += (1 - probability) / (probability * probability);
                _raised.Add(id, hash);
            }

            return Touch(ref figures);
        }
    }

    /// <summary>The count now, with its bounds; null when there is no such counter of this generation.</summary>
    public Estimate? Read(ulong id, long generation, double confidence)
    {
        DistinctReading reading;
        lock (Gate(id))
        {
            if (!_states.TryGetNumber(id, out int number) || At(number).Generation != generation)
            {
                return null;
            }

            Figures now = At(number);
            reading = new DistinctReading(
                _exactCounts.GetValueOrDefault(id), now.Added, now.Changes, now.NewElements, now.Variance, _states.ChangeProbability(id));
        }

        return DistinctEstimate.From(reading, confidence);
    }

    /// <summary>What the window that ends here changed in a counter, for its checkpoint; for the fold's thread.</summary>
    public DistinctRow Capture(string @namespace, ulong id, long position)
    {
        ref Figures figures = ref FiguresOf(id);
        figures.IsTouched = false;
        (uint[] indexes, byte[] ranks) = _raised.Get(id) is { } raised ? HyperLogLogSql.ToColumn(raised) : ([], []);
        return new DistinctRow
        {
            Namespace = @namespace,
            Id = id,
            Generation = figures.Generation,
            Position = Math.Max(position, figures.AsOf),
            Indexes = indexes,
            Ranks = ranks,
            IsExact = false,
            ExactCount = _exactCounts.GetValueOrDefault(id),
            Added = figures.Added,
            Changes = figures.Changes,
            NewElements = figures.NewElements,
            Variance = figures.Variance,
            Sketch = _states.Get(id)!.SavedWhileSparse(),
            NewMembers = [],
        };
    }

    /// <summary>The window is closed: what it changed is captured.</summary>
    public void BeginWindow()
    {
        lock (_clearing)
        {
            _raised.Clear();
        }
    }

    /// <summary>A copy of what a counter's state holds, and what the open window changed of it so far; null when there is none of this generation.</summary>
    public HeldDistinct? Hold(ulong id, long generation)
    {
        lock (_clearing)
        {
            lock (Gate(id))
            {
                if (!_states.TryGetNumber(id, out int number) || At(number).Generation != generation || _states.Get(id) is not { } state)
                {
                    return null;
                }

                Figures now = At(number);
                long value = _exactCounts.GetValueOrDefault(id) + (long)Math.Round(Math.Clamp(now.NewElements, now.Changes, now.Added));
                return new HeldDistinct(
                    false, [], HyperLogLogSql.ToColumn(state), value, now.IsTouched, [], _raised.Get(id) is { } raised ? HyperLogLogSql.ToColumn(raised) : ([], []));
            }
        }
    }

    /// <summary>Lets a counter go.</summary>
    public void Remove(ulong id)
    {
        lock (Gate(id))
        {
            RemoveState(id);
        }
    }

    private void Take(ulong id, HyperLogLog sketch, long exactCount, Figures figures)
    {
        lock (Gate(id))
        {
            RemoveState(id);
            _states.Merge(id, sketch);
            FiguresOf(id) = figures;
            if (exactCount > 0)
            {
                _exactCounts[id] = exactCount;
            }
        }
    }

    private void RemoveState(ulong id)
    {
        _states.Remove(id);
        _raised.Remove(id);
        _exactCounts.TryRemove(id, out _);
    }

    private static bool Touch(ref Figures figures)
    {
        bool first = !figures.IsTouched;
        figures.IsTouched = true;
        return first;
    }

    private Lock Gate(ulong id) => _gates[id & 63];

    private ref Figures FiguresOf(ulong id)
    {
        if (!_states.TryGetNumber(id, out int number))
        {
            throw new InvalidOperationException($"There is no state of counter {id:x16}.");
        }

        while (number >> ChunkShift >= _figures.Length)
        {
            Volatile.Write(ref _figures, [.. _figures, new Figures[ChunkSize]]);
        }

        return ref At(number);
    }

    private ref Figures At(int number) => ref Volatile.Read(ref _figures)[number >> ChunkShift][number & (ChunkSize - 1)];

    // 48 bytes.
    private struct Figures
    {
        public long Generation;
        public long AsOf; // the last position that a state from the store has taken in
        public long Added;
        public double NewElements;
        public double Variance;
        public uint Changes;
        public bool IsTouched;
    }
}
