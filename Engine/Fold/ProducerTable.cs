namespace Sketch.Engine.Fold;

/// <summary>What a producer's batch is, by its sequence.</summary>
internal enum SequenceVerdict
{
    Fresh,
    Duplicate,
    TooOld,

    /// <summary>It was judged before a counter in it was deleted or became another kind: nothing was counted, and the sender tries again.</summary>
    OutOfDate,
}

/// <summary>
/// Which batches of which producers were counted. A high-water mark alone would drop a batch that a retry overtook, so the positions of the last
/// <see cref="EngineLimits.ProducerWindow"/> sequences are kept. A pure function of the log: forgetting goes by log time and order, never by a clock.
/// </summary>
internal sealed class ProducerTable
{
    /// <summary>The most producers remembered; beyond it those that were quiet the longest are forgotten.</summary>
    public const int MaxProducers = 16_384;

    private readonly Dictionary<UInt128, Producer> _producers = [];

    public IEnumerable<KeyValuePair<UInt128, Producer>> All => _producers;

    /// <summary>Judges a batch and, when it is fresh, remembers it.</summary>
    /// <param name="producer">Not zero.</param>
    /// <param name="sequence">From 1.</param>
    /// <param name="position">Where the batch is.</param>
    /// <param name="firstPosition">Where the batch was counted: here, or for a duplicate before.</param>
    public SequenceVerdict Judge(UInt128 producer, long sequence, long position, out long firstPosition)
    {
        if (!_producers.TryGetValue(producer, out Producer? known))
        {
            MakeRoom();
            _producers.Add(producer, known = new Producer());
        }

        SequenceVerdict verdict = known.Judge(sequence, position, out firstPosition);
        known.LastPosition = position;
        return verdict;
    }

    /// <summary>Whether a batch was counted, as far as is remembered; remembers nothing.</summary>
    public bool IsCounted(UInt128 producer, long sequence) => _producers.TryGetValue(producer, out Producer? known) && known.IsCounted(sequence);

    public void Restore(UInt128 producer, Producer state) => _producers.Add(producer, state);

    private void MakeRoom()
    {
        if (_producers.Count < MaxProducers)
        {
            return;
        }

        // An eighth at a time, so that the sort is rare.
        foreach (UInt128 quiet in _producers.OrderBy(p => p.Value.LastPosition).Take(MaxProducers / 8).Select(p => p.Key).ToArray())
        {
            _producers.Remove(quiet);
        }
    }

    internal sealed class Producer
    {
        private readonly long[] _positions = new long[EngineLimits.ProducerWindow];

        /// <summary>The highest sequence seen.</summary>
        public long Highest { get; private set; }

        /// <summary>Where it last sent anything.</summary>
        public long LastPosition { get; set; }

        /// <summary>Sequences and positions still remembered.</summary>
        public IEnumerable<(long Sequence, long Position)> Remembered
        {
            get
            {
                for (long sequence = Math.Max(1, Highest - EngineLimits.ProducerWindow + 1); sequence <= Highest; sequence++)
                {
                    if (_positions[sequence % EngineLimits.ProducerWindow] is var position and not 0)
                    {
                        yield return (sequence, position);
                    }
                }
            }
        }

        public SequenceVerdict Judge(long sequence, long position, out long firstPosition)
        {
            firstPosition = position;
            if (sequence <= Highest - EngineLimits.ProducerWindow)
            {
                return SequenceVerdict.TooOld;
            }

            ref long slot = ref _positions[sequence % EngineLimits.ProducerWindow];
            if (sequence > Highest)
            {
                Forget(sequence);
                Highest = sequence;
            }
            else if (slot != 0)
            {
                firstPosition = slot;
                return SequenceVerdict.Duplicate;
            }

            slot = position;
            return SequenceVerdict.Fresh;
        }

        public bool IsCounted(long sequence) => sequence <= Highest
            && (sequence <= Highest - EngineLimits.ProducerWindow || _positions[sequence % EngineLimits.ProducerWindow] != 0);

        private void Forget(long upTo)
        {
            if (upTo - Highest >= EngineLimits.ProducerWindow)
            {
                Array.Clear(_positions);
                return;
            }

            for (long sequence = Highest + 1; sequence < upTo; sequence++)
            {
                _positions[sequence % EngineLimits.ProducerWindow] = 0;
            }
        }
    }
}
