using Sketch.Engine.Increments;

namespace Sketch.Engine.Fold;

/// <summary>What a producer's batch is, by its sequence.</summary>
internal enum SequenceVerdict
{
    Fresh,
    Duplicate,
    TooOld,

    /// <summary>It is further ahead of the producer's newest than a sender may have on its way: something is missing, or the producer was forgotten.</summary>
    Gap,

    /// <summary>The producer sent another batch with this sequence: two senders share its name.</summary>
    Shared,

    /// <summary>It was judged before a counter in it was deleted or became another kind: nothing was counted, and the sender tries again.</summary>
    OutOfDate,
}

/// <summary>
/// Which batches of which producers were counted. A high-water mark alone would drop a batch that a retry overtook, so the positions of the last
/// <see cref="EngineLimits.ProducerWindow"/> sequences are kept, each with a number of what the batch said. A pure function of the log: forgetting goes by log time and
/// order, never by a clock. A producer that was forgotten cannot go on where it was, so that a late retry is refused and never counted twice.
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
    /// <param name="batch">Where and when the batch is, and what it says.</param>
    /// <param name="firstPosition">Where the batch was counted: here, or for a duplicate before. When the sequence is no allowed one: the producer's newest.</param>
    public SequenceVerdict Judge(UInt128 producer, long sequence, in BatchMark batch, out long firstPosition)
    {
        if (!_producers.TryGetValue(producer, out Producer? known))
        {
            if (sequence > EngineLimits.ProducerWindow)
            {
                firstPosition = 0;
                return SequenceVerdict.Gap;
            }

            MakeRoom();
            _producers.Add(producer, known = new Producer());
        }

        SequenceVerdict verdict = known.Judge(sequence, batch.Position, batch.Contents, out firstPosition);
        known.LastPosition = batch.Position;
        known.LastTimeMs = batch.TimeMs;
        return verdict;
    }

    /// <summary>Forgets producers that sent nothing since a moment of the log.</summary>
    public void Forget(long beforeTimeMs)
    {
        foreach ((UInt128 producer, Producer state) in _producers)
        {
            if (state.LastTimeMs < beforeTimeMs)
            {
                _producers.Remove(producer);
            }
        }
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
        private readonly uint[] _contents = new uint[EngineLimits.ProducerWindow];

        /// <summary>The highest sequence seen.</summary>
        public long Highest { get; private set; }

        /// <summary>Where it last sent anything.</summary>
        public long LastPosition { get; set; }

        /// <summary>The log's time of that.</summary>
        public long LastTimeMs { get; set; }

        /// <summary>Sequences still remembered, where their batches are and what they said.</summary>
        public IEnumerable<(long Sequence, long Position, uint Contents)> Remembered
        {
            get
            {
                for (long sequence = Math.Max(1, Highest - EngineLimits.ProducerWindow + 1); sequence <= Highest; sequence++)
                {
                    if (_positions[sequence % EngineLimits.ProducerWindow] is var position and not 0)
                    {
                        yield return (sequence, position, _contents[sequence % EngineLimits.ProducerWindow]);
                    }
                }
            }
        }

        public SequenceVerdict Judge(long sequence, long position, uint contents, out long firstPosition)
        {
            firstPosition = Highest;
            if (sequence <= Highest - EngineLimits.ProducerWindow)
            {
                return SequenceVerdict.TooOld;
            }

            if (sequence - Highest > EngineLimits.ProducerWindow)
            {
                return SequenceVerdict.Gap;
            }

            ref long slot = ref _positions[sequence % EngineLimits.ProducerWindow];
            if (sequence > Highest)
            {
                Forget(sequence);
                Highest = sequence;
            }
            else if (slot != 0)
            {
                if (_contents[sequence % EngineLimits.ProducerWindow] != contents)
                {
                    return SequenceVerdict.Shared;
                }

                firstPosition = slot;
                return SequenceVerdict.Duplicate;
            }

            Remember(sequence, position, contents);
            firstPosition = position;
            return SequenceVerdict.Fresh;
        }

        /// <summary>Takes over what a snapshot holds, in ascending order.</summary>
        public void Remember(long sequence, long position, uint contents)
        {
            Highest = Math.Max(Highest, sequence);
            _positions[sequence % EngineLimits.ProducerWindow] = position;
            _contents[sequence % EngineLimits.ProducerWindow] = contents;
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

/// <summary>A batch as its producer's memory keeps it.</summary>
/// <param name="Position">Where it is in the log.</param>
/// <param name="TimeMs">When, by the log's time.</param>
/// <param name="Contents">What it says: <see cref="BatchContents"/>.</param>
internal readonly record struct BatchMark(long Position, long TimeMs, uint Contents);
