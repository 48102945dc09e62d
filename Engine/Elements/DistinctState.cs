using System.Buffers;
using Sketch.Accuracy;
using Sketch.Engine.Checkpoints;
using Sketch.Sketches;

namespace Sketch.Engine.Elements;

/// <summary>
/// What a counter of the kind distinct has seen, from its creation or last reset on: a HyperLogLog followed by a martingale in log order, and, while the counter is
/// strong or eventual, the elements' hashes themselves. A pure function of the log. The fold writes, readers take a short lock.
/// </summary>
internal sealed class DistinctState
{
    private readonly Lock _gate = new();
    private DistinctMartingale _martingale;
    private HashSet<UInt128>? _members;
    private HyperLogLog? _raised;
    private List<UInt128> _newMembers = [];
    private DistinctReading _reading;

    /// <param name="keyId">What elements are hashed with.</param>
    /// <param name="generation">The position at which the counter began, or was reset.</param>
    /// <param name="exact">Whether the elements themselves are kept.</param>
    public DistinctState(ulong keyId, long generation, bool exact)
    {
        _martingale = new DistinctMartingale(new HyperLogLog(keyId), 0);
        _members = exact ? [] : null;
        Generation = generation;
    }

    private DistinctState(StoredDistinct stored, DistinctMartingale martingale)
    {
        _martingale = martingale;
        _members = stored.IsExact ? [] : null;
        _reading = DistinctReading.Of(martingale);
        Generation = stored.Generation;
        AsOf = stored.Position;
    }

    /// <summary>The position at which the counter began, or was reset.</summary>
    public long Generation { get; }

    /// <summary>The last position that a state from the store has taken in: what a replay brings up to here is in it.</summary>
    public long AsOf { get; }

    /// <summary>Whether something came since the last <see cref="Capture"/>.</summary>
    public bool IsTouched { get; private set; }

    /// <summary>How many elements are kept; zero when they are not.</summary>
    public int Kept
    {
        get
        {
            lock (_gate)
            {
                return _members?.Count ?? 0;
            }
        }
    }

    /// <summary>Takes a state over from the store; its members follow by <see cref="Keep"/>.</summary>
    /// <exception cref="InvalidDataException">Damaged, or of another key.</exception>
    public static DistinctState From(StoredDistinct stored, ulong keyId)
    {
        HyperLogLog sketch = stored.Sketch.Length > 0
            ? HyperLogLog.Load(stored.Sketch, keyId)
            : HyperLogLogSql.FromColumn(keyId, HyperLogLog.DefaultPrecision, stored.Indexes, stored.Ranks);
        return new DistinctState(stored, DistinctMartingale.Resume(
            sketch, stored.ExactCount, stored.Added, stored.Changes, stored.NewElements, stored.Variance));
    }

    /// <summary>Adds a member that the store kept; true when it was not there yet.</summary>
    public bool Keep(UInt128 member) => _members?.Add(member) ?? false;

    /// <summary>Whether an element was counted, as far as elements are kept.</summary>
    public bool Contains(UInt128 element)
    {
        lock (_gate)
        {
            return _members?.Contains(element) ?? false;
        }
    }

    /// <summary>The fold adds an element.</summary>
    /// <param name="element">Its hash.</param>
    /// <param name="position">Where it is in the log.</param>
    /// <param name="exact">Whether the counter keeps its elements now. One that once did not can't begin to: what came before is unknown.</param>
    /// <returns>How many elements more are kept.</returns>
    public int Add(UInt128 element, long position, bool exact)
    {
        IsTouched = true;
        if (position <= AsOf)
        {
            return 0;
        }

        lock (_gate)
        {
            int released = 0;
            if (!exact && _members is { Count: var count })
            {
                // From here on only what comes after errs: the martingale goes on from an exact count.
                _martingale = new DistinctMartingale(_martingale.State, count);
                _members = null;
                released = count;
            }

            ulong hash = (ulong)(element >> 64);
            if (_members is null)
            {
                Raised(_martingale.Add(hash), hash);
                _reading = DistinctReading.Of(_martingale);
                return -released;
            }

            // A member may be known while its register is not: a process that died while it stored the window had stored members first.
            Raised(_martingale.State.Add(hash), hash);
            if (!_members.Add(element))
            {
                return 0;
            }

            _newMembers.Add(element);
            return 1;
        }
    }

    /// <summary>The count now, with its bounds.</summary>
    public Estimate Read(double confidence)
    {
        DistinctReading reading;
        lock (_gate)
        {
            if (_members is not null)
            {
                return Estimate.Exact(_members.Count);
            }

            reading = _reading;
        }

        return DistinctEstimate.From(reading, confidence);
    }

    /// <summary>What the window that ends here changed, for its checkpoint; for the fold's thread.</summary>
    public DistinctRow Capture(string @namespace, ulong id, long position)
    {
        (uint[] indexes, byte[] ranks) = _raised is null ? ([], []) : HyperLogLogSql.ToColumn(_raised);
        DistinctRow row = new()
        {
            Namespace = @namespace,
            Id = id,
            Generation = Generation,
            Position = Math.Max(position, AsOf),
            Indexes = indexes,
            Ranks = ranks,
            IsExact = _members is not null,
            ExactCount = _members?.Count ?? _martingale.ExactCount,
            Added = _members is null ? _martingale.Added : 0,
            Changes = _members is null ? _martingale.Changes : 0,
            NewElements = _members is null ? _martingale.NewElements : 0,
            Variance = _members is null ? _martingale.Variance : 0,
            Sketch = _martingale.State.IsSparse ? Saved(_martingale.State) : [],
            NewMembers = _newMembers,
        };
        _raised = null;
        _newMembers = [];
        IsTouched = false;
        return row;
    }

    private static byte[] Saved(HyperLogLog sketch)
    {
        ArrayBufferWriter<byte> writer = new(sketch.StateBytes);
        sketch.Save(writer);
        return writer.WrittenSpan.ToArray();
    }

    private void Raised(bool changed, ulong hash)
    {
        if (changed)
        {
            (_raised ??= new HyperLogLog(_martingale.State.KeyId)).Add(hash);
        }
    }
}
